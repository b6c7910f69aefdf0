// @modelcontextprotocol/client 2.x: steps up by itself, and checks `iss` when it is handed the whole answer.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

export const name = "TypeScript client 2 journey";
export { Client, StreamableHTTPClientTransport as Transport };

export const wantsBrowser = (error) => error instanceof UnauthorizedError;

export const finish = (transport, answer) => transport.finishAuth(answer);
