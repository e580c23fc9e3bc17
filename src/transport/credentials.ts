import { readFile } from 'node:fs/promises';
import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats';
import { codeOf, ShoalError } from '../errors.ts';
import { quote } from './quote.ts';

/** Who we are to a NATS server: one of the ways that NATS knows. */
export type Credentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The seed of a user's nkey; it begins with SU. */
  | { readonly nkeySeed: string }
  /** Path of a file with a user's JWT and seed, as the tools of NATS write it. */
  | { readonly credsFile: string };

const encoder = new TextEncoder();
const FORMS = '{ user, password }, { token }, { nkeySeed } or { credsFile }';

/** @throws CONFIG_VALUE for what are no credentials; it shows no secret */
export async function authenticatorOf(credentials: Credentials): Promise<Authenticator> {
  // Programs in JavaScript may hand over anything.
  const given: Readonly<Record<string, unknown>> = { ...credentials };
  const names = Object.keys(given);
  const strange = names.find((name) => typeof given[name] !== 'string' || given[name] === '');
  if (strange !== undefined) throw refused(`got \`${strange}\` that is no text or an empty one`);
  if ('user' in credentials && 'password' in credentials && names.length === 2) {
    return usernamePasswordAuthenticator(credentials.user, credentials.password);
  }
  if (names.length !== 1) throw refused(`got { ${names.join(', ')} }`);
  if ('token' in credentials) return tokenAuthenticator(credentials.token);
  if ('nkeySeed' in credentials)
    return checked(nkeyAuthenticator(encoder.encode(credentials.nkeySeed)), 'the `nkeySeed` is no seed of a user');
  if ('credsFile' in credentials) {
    const path = credentials.credsFile;
    const complaint = `the file ${quote(path)} does not hold a user's JWT and its seed`;
    return checked(credsAuthenticator(await bytesOf(path)), complaint);
  }
  throw refused(`got { ${names.join(', ')} }`);
}

/** Signs something with it, because a seed that is none would else be found out only by the first server that asks. */
function checked(authenticator: Authenticator, complaint: string): Authenticator {
  try {
    authenticator('nonce');
  } catch (cause) {
    throw refused(complaint, cause);
  }
  return authenticator;
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw refused(`the file ${quote(path)} cannot be read (${codeOf(cause) ?? String(cause)})`, cause);
  }
}

function refused(why: string, cause?: unknown): ShoalError {
  return new ShoalError('CONFIG_VALUE', `Expected credentials as ${FORMS}: ${why}`, { cause });
}
