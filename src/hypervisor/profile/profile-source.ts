import { lstatSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { codeOf, messageOf, ShoalError, whyUnreadable } from '../../errors.ts';
import { isRecord } from '../../is-record.ts';
import { readSmallFile } from '../../plain-file.ts';
import { parseProfile } from './parse-profile.ts';
import { companionOf, type ImageProfile } from './profile.ts';
import { profilePaths } from './profile-file.ts';
import { SHIPPED_PROFILES } from './shipped.ts';

/** Which profile an image gets. */
export interface ProfileChoice {
  /** Name of a profile that comes with Shoal, or path of a file; absent: the file beside the image, if there is one. */
  readonly profile?: string | undefined;
  /** Fields that override it, by their names (`console.format`); a value is JSON, or else a text. */
  readonly set?: Readonly<Record<string, string>> | undefined;
}

/** A profile, with what it names. */
export interface FoundProfile {
  readonly profile: ImageProfile;
  /** A path, or `NAME (of Shoal)`; undefined if the image has none. */
  readonly from: string | undefined;
  /** Path of the file that the image boots with. */
  readonly companion: string | undefined;
}

/** A profile has some hundred bytes. */
const FILE_BYTES_MAX = 64 * 1024;

/**
 * Finds and reads the profile of an image.
 * @throws PROFILE_INVALID naming file, field and value; it also says why a file cannot be read
 */
export async function findProfile(image: string, { profile: named, set = {} }: ProfileChoice): Promise<FoundProfile> {
  const shipped = named !== undefined && Object.hasOwn(SHIPPED_PROFILES, named) ? SHIPPED_PROFILES[named] : undefined;
  const file = shipped === undefined ? (named === undefined ? besideImage(image) : resolve(named)) : undefined;
  const base: unknown = shipped ?? (file === undefined ? {} : await readProfileFile(file));
  const from = file ?? (shipped === undefined ? undefined : `${named} (of Shoal)`);
  const said = from ?? `of ${image}`;
  const profile = parseProfile(withOverrides(base, set, said), said);
  const name = companionOf(profile);
  return {
    profile,
    from,
    // Of a profile that is no file, paths are relative to the image.
    companion: name === undefined ? undefined : resolve(dirname(file ?? image), name),
  };
}

/** @throws PROFILE_INVALID if both names that it may have are there */
function besideImage(image: string): string | undefined {
  const [first, second] = profilePaths(image).filter(isThere);
  if (first === undefined || second === undefined) return first;
  throw new ShoalError(
    'PROFILE_INVALID',
    `Both ${first} and ${second} are there: remove one, or name one by --profile`,
    {
      details: { profiles: [first, second] },
    },
  );
}

/** A link that leads nowhere is there: its reader says so, and the image does not run on another machine than its profile says. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // An image may have a name to which nothing can be added.
    if (codeOf(error) === 'ENAMETOOLONG') return false;
    throw error;
  }
}

async function readProfileFile(path: string): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = await readSmallFile(path, FILE_BYTES_MAX);
  } catch (cause) {
    const names = Object.keys(SHIPPED_PROFILES).join(', ');
    throw new ShoalError(
      'PROFILE_INVALID',
      `The profile ${path} cannot be read: ${whyUnreadable(cause)}. Name a file, or one of ${names}`,
      { cause, details: { profile: path } },
    );
  }
  const { text, value } = parsed(bytes, path);
  const repeated = repeatedField(text);
  if (repeated === undefined) return value;
  throw new ShoalError(
    'PROFILE_INVALID',
    `The profile ${path} has the field \`${repeated}\` twice: remove one of them`,
    {
      details: { profile: path, field: repeated },
    },
  );
}

/** @throws PROFILE_INVALID */
function parsed(bytes: Uint8Array, path: string): { readonly text: string; readonly value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return { text, value };
  } catch (cause) {
    const why = messageOf(cause);
    throw new ShoalError('PROFILE_INVALID', `The profile ${path} is not JSON: ${why}`, {
      cause,
      details: { profile: path },
    });
  }
}

/** `JSON.parse` takes the last one of fields that contradict each other. @param text that is JSON */
function repeatedField(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, name, colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (name !== undefined && colon !== undefined) {
      const field = String(JSON.parse(name));
      const known = open.at(-1);
      if (known?.has(field) === true) return field;
      known?.add(field);
    }
  }
  return undefined;
}

/** What matters of JSON for the names of its fields: braces, and texts, those with a colon behind them being names. */
const TOKEN = /[{}]|("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g;

/** @throws PROFILE_INVALID for a field in what is no object */
function withOverrides(base: unknown, set: Readonly<Record<string, string>>, from: string): unknown {
  let value = base;
  for (const [name, text] of Object.entries(set))
    value = withField(value, name.split('.'), jsonOrText(text), name, from);
  return value;
}

function withField(
  base: unknown,
  [first = '', ...rest]: readonly string[],
  value: unknown,
  name: string,
  from: string,
): unknown {
  if (!isRecord(base ?? {})) {
    const remedy = 'a field of it cannot be set; set the whole';
    throw new ShoalError(
      'PROFILE_INVALID',
      `The profile ${from} cannot be used: before \`${name}\` there is no object, so ${remedy}`,
      {
        details: { profile: from, field: name },
      },
    );
  }
  const record = isRecord(base) ? base : {};
  const field = Object.hasOwn(record, first) ? record[first] : undefined;
  return { ...record, [first]: rest.length === 0 ? value : withField(field, rest, value, name, from) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
