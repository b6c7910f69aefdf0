// better-auth with its OAuth provider, in its best case that is as durable as ours: one process, SQLite with a WAL that is
// flushed at each commit, no rate limit, no log, the signing key not encrypted.
// Its routes have the paths of the server that it is compared with; the one below `/bench` makes what a load needs.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';

import { codes } from './codes.mjs';

const [port, resource, file] = process.argv.slice(2);
const scopes = ['notes:read', 'notes:write', 'offline_access'];
const base = '/api/auth/oauth2';
const paths = { '/register': `${base}/register`, '/token': `${base}/token` };

const database = new DatabaseSync(file);
for (const pragma of ['journal_mode = WAL', 'synchronous = FULL']) database.exec(`PRAGMA ${pragma}`);

const auth = betterAuth({
  baseURL: `http://localhost:${port}`,
  database,
  secret: 'a secret that only the bench knows, of length enough',
  logger: { disabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [
    jwt({ disableSettingJwtHeader: true, jwks: { keyPairConfig: { alg: 'ES256' }, disablePrivateKeyEncryption: true } }),
    oauthProvider({
      loginPage: '/sign-in',
      consentPage: '/consent',
      scopes,
      clientRegistrationDefaultScopes: scopes,
      allowDynamicClientRegistration: true,
      allowUnauthenticatedClientRegistration: true,
      accessTokenExpiresIn: 600,
      resources: [resource],
      cachedResources: new Set([resource]),
      enforcePerClientResources: false,
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
});
await (await getMigrations(auth.options)).runMigrations();
const context = await auth.$context;
const answer = toNodeHandler(auth);

async function prepare(request, response) {
  const made = await codes(context, { ...JSON.parse((await request.toArray()).join('')), resource, scope: scopes.join(' ') });
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(made));
}

createServer((request, response) => {
  if (request.url === '/bench/codes') return prepare(request, response);
  request.url = paths[request.url] ?? request.url;
  return answer(request, response);
}).listen(Number(port), '127.0.0.1');
