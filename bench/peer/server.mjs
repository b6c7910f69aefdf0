// The peer in its best case: one process, every model in a plain Map, nothing durable.
// Its routes have the paths of the server that it is compared with; those below `/bench` make what a load needs.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

import { adapter } from './maps.mjs';
import { codes, refreshTokens } from './codes.mjs';
import { visitor } from './visitor.mjs';

const port = Number(process.argv[2]);
const resource = process.argv[3];
const issuer = `http://localhost:${port}`;
const opaque = `${resource}/opaque`; // the peer introspects opaque tokens only
const secret = 'bench';
const scope = 'notes:read notes:write offline_access';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
key.kid = createHash('sha256').update(key.x).digest('base64url');

const provider = new Provider(issuer, {
  adapter,
  jwks: { keys: [key] },
  scopes: scope.split(' '),
  clientDefaults: { id_token_signed_response_alg: 'ES256', token_endpoint_auth_method: 'none' },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  cookies: { keys: [secret] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  expiresWithSession: () => false,
  ttl: { AccessToken: 600, AuthorizationCode: 3600, RefreshToken: 2592000, Grant: 2592000 },
  routes: {
    authorization: '/authorize', introspection: '/introspect', jwks: '/jwks', registration: '/register', revocation: '/revoke', token: '/token',
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, indicator) => ({
        audience: indicator,
        scope,
        accessTokenFormat: indicator === opaque ? 'opaque' : 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
    revocation: { enabled: true, allowedPolicy: () => true },
    userinfo: { enabled: false },
  },
});

const answer = provider.callback();

const prepared = {
  '/bench/codes': (asked) => codes(provider, { ...asked, resource: asked.form === 'opaque' ? opaque : resource, scope }),
  '/bench/refresh-tokens': (asked) => refreshTokens(provider, { ...asked, resource, scope }),
  '/bench/visitor': (asked) => visitor(provider, { ...asked, resource, scope, secret }),
};

async function prepare(request, response) {
  const made = await prepared[request.url](JSON.parse((await request.toArray()).join('')));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(made));
}

createServer((request, response) => (
  request.url in prepared ? prepare(request, response) : answer(request, response)
)).listen(port, '127.0.0.1');
