import { randomUUID } from 'node:crypto';
import { nkeys } from 'nats';

/** The server configuration for an operator with one account, and the credentials of one user of that account. */
export interface UserJwt {
  /** Lines for the configuration of the server. */
  readonly config: readonly string[];
  /** Content of a creds file. */
  readonly creds: string;
}

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** Makes an operator, account and user of decentralised authentication for one test. */
export function userJwt(): UserJwt {
  const operator = nkeys.createOperator();
  const account = nkeys.createAccount();
  const user = nkeys.createUser();
  const operatorJwt = jwt(operator, operator, 'operator', {});
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const accountJwt = jwt(operator, account, 'account', {
    limits: { ...unlimited, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true },
  });
  const userJwt = jwt(account, user, 'user', unlimited);
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    config: [
      `operator: ${operatorJwt}`,
      'resolver: MEMORY',
      `resolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`,
    ],
    creds: `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
  };
}

function jwt(issuer: KeyPair, subject: KeyPair, type: string, claims: object): string {
  const claim = {
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name: type,
    sub: subject.getPublicKey(),
    nats: { ...claims, type, version: 2 },
  };
  const body = `${base64({ typ: 'JWT', alg: 'ed25519-nkey' })}.${base64(claim)}`;
  return `${body}.${Buffer.from(issuer.sign(new TextEncoder().encode(body))).toString('base64url')}`;
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
