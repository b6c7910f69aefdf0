// Somebody who has a session and a standing approval of a client, made through the provider's own models.
import { randomUUID } from 'node:crypto';

import Keygrip from 'keygrip';

import { newGrant } from './codes.mjs';

const SECONDS = 3600;

export async function visitor(provider, { clientId, resource, scope, secret }) {
  const client = await provider.Client.find(clientId);
  const grant = await newGrant(provider, client, resource, scope, `person ${randomUUID()}`);
  const session = new provider.Session({
    accountId: grant.accountId,
    authorizations: { [clientId]: { grantId: grant.jti } },
    loginTs: Math.floor(Date.now() / 1000),
  });
  await session.save(SECONDS);
  const name = provider.cookieName('session');
  const cookie = `${name}=${session.jti}`;
  return { cookie: `${cookie}; ${name}.sig=${new Keygrip([secret]).sign(cookie)}` };
}
