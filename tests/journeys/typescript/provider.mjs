// The SDK's OAuthClientProvider over a file, so that a client restarted later, or a second process, finds it.
import fs from "node:fs";
import crypto from "node:crypto";

export class FileProvider {
  #path;
  #metadata;
  #open;

  constructor(path, redirectUrl, name, open) {
    this.#path = path;
    this.#open = open;
    this.#metadata = {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }

  #read() {
    return fs.existsSync(this.#path) ? JSON.parse(fs.readFileSync(this.#path, "utf8")) : {};
  }

  #write(changes) {
    // A second process may be reading: replace the file in one step.
    const draft = `${this.#path}.${process.pid}`;
    fs.writeFileSync(draft, JSON.stringify({ ...this.#read(), ...changes }));
    fs.renameSync(draft, this.#path);
  }

  get redirectUrl() {
    return this.#metadata.redirect_uris[0];
  }

  /** Where the host publishes who it is, if it does. */
  get clientMetadataUrl() {
    return process.env.CLIENT_METADATA_URL;
  }

  get clientMetadata() {
    return this.#metadata;
  }

  state() {
    return crypto.randomUUID();
  }

  clientInformation() {
    return this.#read().client;
  }

  saveClientInformation(client) {
    this.#write({ client });
  }

  tokens() {
    return this.#read().tokens;
  }

  saveTokens(tokens) {
    this.#write({ tokens });
  }

  saveCodeVerifier(verifier) {
    this.#write({ verifier });
  }

  codeVerifier() {
    return this.#read().verifier;
  }

  saveDiscoveryState(discovery) {
    this.#write({ discovery });
  }

  discoveryState() {
    return this.#read().discovery;
  }

  invalidateCredentials(what) {
    const kept = this.#read();
    if (what === "all" || what === "client") delete kept.client;
    if (what === "all" || what === "tokens") delete kept.tokens;
    fs.writeFileSync(this.#path, JSON.stringify(kept));
  }

  redirectToAuthorization(url) {
    this.#open(url);
  }

  /** As if the access token had expired: servers refuse it. */
  expire() {
    const { tokens } = this.#read();
    this.#write({ tokens: { ...tokens, access_token: "expired" } });
  }
}
