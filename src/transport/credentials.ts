import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats';
import { ShoalError, whyUnreadable } from '../errors.ts';
import { readPlainFile } from '../plain-file.ts';
import { quote } from './quote.ts';

/** One of the ways to authenticate with a NATS server. */
export type Credentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** Seed of a user nkey; starts with SU. */
  | { readonly nkeySeed: string }
  /** Path of a `.creds` file: JWT and seed of a user. */
  | { readonly credsFile: string };

const encoder = new TextEncoder();
const FORMS = '{ user, password }, { token }, { nkeySeed } or { credsFile }';

/** @throws CONFIG_VALUE for invalid credentials; its message shows no secret */
export async function authenticatorOf(credentials: Credentials): Promise<Authenticator> {
  // JavaScript callers may pass anything.
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

/** Signs a test nonce; otherwise an invalid seed would only be noticed when a server asks for a signature. */
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
    return await readPlainFile(path);
  } catch (cause) {
    throw refused(`the file ${quote(path)} cannot be read: ${whyUnreadable(cause)}`, cause);
  }
}

function refused(why: string, cause?: unknown): ShoalError {
  return new ShoalError('CONFIG_VALUE', `Expected credentials as ${FORMS}: ${why}`, { cause });
}
