// Authorization codes and refresh tokens with known secrets, made through the provider's own models as its authorization endpoint would.
import { createHash, randomBytes } from 'node:crypto';

const challengeOf = (verifier) => createHash('sha256').update(verifier).digest('base64url');

// A person's standing approval of a client, made once, as the other server keeps it.
const grants = new Map();

export async function newGrant(provider, client, resource, scope, accountId) {
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(scope); // the server knows them as its own too
  grant.addResourceScope(resource, scope);
  await grant.save();
  return grant;
}

async function grantOf(provider, client, resource, scope) {
  const key = `${client.clientId} ${resource}`;
  if (!grants.has(key)) {
    grants.set(key, await newGrant(provider, client, resource, scope, `person of ${client.clientId}`));
  }
  return grants.get(key);
}

async function codeOf(provider, clientId, resource, scope) {
  const client = await provider.Client.find(clientId);
  const grant = await grantOf(provider, client, resource, scope);
  const verifier = randomBytes(32).toString('base64url');
  const [redirectUri] = client.redirectUris;
  const code = await new provider.AuthorizationCode({
    accountId: grant.accountId,
    authTime: Math.floor(Date.now() / 1000),
    client,
    codeChallenge: challengeOf(verifier),
    codeChallengeMethod: 'S256',
    grantId: grant.jti,
    redirectUri,
    resource,
    scope,
  }).save();
  return { code, client_id: clientId, redirect_uri: redirectUri, verifier, resource };
}

async function refreshTokenOf(provider, clientId, resource, scope) {
  const client = await provider.Client.find(clientId);
  const grant = await grantOf(provider, client, resource, scope);
  const token = await new provider.RefreshToken({
    accountId: grant.accountId,
    authTime: Math.floor(Date.now() / 1000),
    client,
    grantId: grant.jti,
    gty: 'authorization_code',
    resource,
    rotations: 0,
    scope,
  }).save();
  return { token, client_id: clientId };
}

export async function refreshTokens(provider, { count, clientIds, resource, scope }) {
  const made = [];
  for (let number = 0; number < count; number += 1) {
    made.push(await refreshTokenOf(provider, clientIds[number % clientIds.length], resource, scope));
  }
  return made;
}

export async function codes(provider, { count, clientIds, resource, scope }) {
  const made = [];
  for (let number = 0; number < count; number += 1) {
    made.push(await codeOf(provider, clientIds[number % clientIds.length], resource, scope));
  }
  return made;
}
