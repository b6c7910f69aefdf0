// An MCP client on an official TypeScript SDK, told what to do line by line (see tests/journeys/client.py).
import readline from "node:readline";
import { listen } from "./callback.mjs";
import { FileProvider } from "./provider.mjs";

const [sdkName, url, path] = process.argv.slice(2);
const sdk = await import(`./${sdkName}.mjs`);
const say = (event) => process.stdout.write(JSON.stringify(event) + "\n");

const callback = await listen();
const provider = new FileProvider(path, callback.url, sdk.name, (to) => say({ event: "authorize", url: to.href }));
const challenge = {};
let client;
let transport;

async function noted(input, init) {
  const response = await fetch(input, init);
  say({ event: "http", method: init?.method ?? "GET", url: String(input), status: response.status });
  const scope = /scope="([^"]*)"/.exec(response.headers.get("www-authenticate") ?? "");
  if (scope) challenge.scope = scope[1];
  return response;
}

/** Do `work`; if the SDK wants the person's consent, wait for it and do `work` once more. */
async function withConsent(work) {
  try {
    return await work();
  } catch (error) {
    if (!(await sdk.wantsBrowser(error, provider, url, challenge))) throw error;
    await sdk.finish(transport, await callback.answer());
    return work();
  }
}

const commands = {
  connect: () =>
    withConsent(async () => {
      transport = new sdk.Transport(new URL(url), { authProvider: provider, fetch: noted });
      client = new sdk.Client({ name: sdk.name, version: "1.0.0" });
      await client.connect(transport);
      return null;
    }),
  tools: () => withConsent(async () => (await client.listTools()).tools.map((tool) => tool.name)),
  call: ({ tool, arguments: given }) =>
    withConsent(async () => {
      const result = await client.callTool({ name: tool, arguments: given });
      const text = result.content.map((part) => part.text ?? "").join("\n");
      if (result.isError) throw new Error(text);
      return text;
    }),
  expire: () => provider.expire(),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { do: what, ...given } = JSON.parse(line);
  try {
    say({ event: "done", result: (await commands[what](given)) ?? null });
  } catch (error) {
    say({ event: "failed", error: [error.name, error.code, error.message].join(" ") });
  }
}
await client?.close().catch(() => {});
callback.close();
process.exit(0);
