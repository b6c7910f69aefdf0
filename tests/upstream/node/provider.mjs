// An OpenID provider over https. `people.json` is read anew for every claim: a test changes what is said of somebody.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { Provider } from 'oidc-provider';

const { port, pem, people, clients } = JSON.parse(process.argv[2]);
const issuer = `https://localhost:${port}`;
const file = readFileSync(pem);

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  cookies: { keys: ['a key for tests'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, ...JSON.parse(readFileSync(people, 'utf8'))[sub] }),
  }),
  // Nobody is asked twice: what this server's people allow is not what is tested here.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
    grant.addOIDCScope('openid email profile groups');
    await grant.save();
    return grant;
  },
});

createServer({ key: file, cert: file }, provider.callback()).listen(port, '127.0.0.1', () => console.log('ready'));
