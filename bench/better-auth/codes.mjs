// Codes as its authorization endpoint makes them once somebody has consented: a row of `verification`.
import { createHash, randomBytes } from 'node:crypto';

const redirectUri = 'http://127.0.0.1:33418/callback';
const lifetime = 3600; // seconds: the load begins when all codes are made

// A person for each client, signed in once.
const people = new Map();

function digest(text) {
  return createHash('sha256').update(text).digest('base64url');
}

async function personOf(context, clientId) {
  if (!people.has(clientId)) {
    const email = `person-of-${clientId}@bench.example`.toLowerCase();
    const user = await context.internalAdapter.createUser({ name: 'Person', email, emailVerified: true });
    const session = await context.internalAdapter.createSession(user.id);
    people.set(clientId, { userId: user.id, sessionId: session.id });
  }
  return people.get(clientId);
}

async function codeOf(context, clientId, { resource, scope }) {
  const person = await personOf(context, clientId);
  const code = randomBytes(24).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const query = {
    response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope, resource, code_challenge: digest(verifier), code_challenge_method: 'S256',
  };
  await context.internalAdapter.createVerificationValue({
    identifier: digest(code),
    expiresAt: new Date(Date.now() + 1000 * lifetime),
    value: JSON.stringify({ type: 'authorization_code', query, ...person, authTime: Date.now(), resource: [resource] }),
  });
  return { code, client_id: clientId, redirect_uri: redirectUri, verifier, resource };
}

export async function codes(context, { count, clientIds, ...asked }) {
  const made = [];
  for (let number = 0; number < count; number += 1) {
    made.push(await codeOf(context, clientIds[number % clientIds.length], asked));
  }
  return made;
}
