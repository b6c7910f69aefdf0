// @modelcontextprotocol/sdk 1.x: answers 403 by refreshing, which gains nothing; hosts then ask for the new scope alone.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  StreamableHTTPClientTransport,
  StreamableHTTPError,
} from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { auth, UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";

export const name = "TypeScript SDK 1 journey";
export { Client, StreamableHTTPClientTransport as Transport };

export async function wantsBrowser(error, provider, serverUrl, challenge) {
  if (error instanceof StreamableHTTPError && error.code === 403) {
    provider.invalidateCredentials("tokens");
    await auth(provider, { serverUrl, scope: newestOnly(challenge.scope) });
    return true;
  }
  return error instanceof UnauthorizedError;
}

const newestOnly = (scope) => scope.split(" ").at(-1);

export function finish(transport, answer) {
  if (answer.has("error")) throw new UnauthorizedError(answer.get("error"));
  return transport.finishAuth(answer.get("code"));
}
