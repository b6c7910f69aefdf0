// Somebody who has a session and a standing approval of a client, made through the provider's own models.
import Keygrip from 'keygrip';

import { grantOf } from './codes.mjs';

const SECONDS = 3600;

export async function visitor(provider, { clientId, resource, scope, secret }) {
  const client = await provider.Client.find(clientId);
  const grant = await grantOf(provider, client, resource, scope);
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
