import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from './connection.ts';
import type { Credentials } from './credentials.ts';
import { realNatsServer, securedNatsServer, userJwt } from './kit/mod.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-creds-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Case {
  readonly config: readonly string[];
  readonly right: Credentials;
  readonly wrong: Credentials;
}

function credsFile(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const seedOf = (key: ReturnType<typeof nkeys.createUser>): string => new TextDecoder().decode(key.getSeed());

const CASES: Readonly<Record<string, () => Case>> = {
  'user and password': () => ({
    config: ['authorization { user: me, password: "s3cret" }'],
    right: { user: 'me', password: 's3cret' },
    wrong: { user: 'me', password: 'guess' },
  }),
  'a token': () => ({
    config: ['authorization { token: "t0ken" }'],
    right: { token: 't0ken' },
    wrong: { token: 'guess' },
  }),
  'an nkey': () => {
    const key = nkeys.createUser();
    return {
      config: [`authorization { users: [ { nkey: ${key.getPublicKey()} } ] }`],
      right: { nkeySeed: seedOf(key) },
      wrong: { nkeySeed: seedOf(nkeys.createUser()) },
    };
  },
  'a creds file': () => {
    const known = userJwt();
    return {
      config: known.config,
      right: { credsFile: credsFile('right.creds', known.creds) },
      wrong: { credsFile: credsFile('wrong.creds', userJwt().creds) },
    };
  },
};

test.each(Object.entries(CASES))('a server that wants %s takes the right one and no other', async (_, make) => {
  const { config, right, wrong } = make();
  await using nats = await securedNatsServer(config);
  const options = { servers: nats.url, name: 'test' };
  const connection = await connect({ ...options, credentials: right });
  await connection.nc.flush();
  await connection.close();
  const refused = { code: 'NATS_UNAUTHORIZED', message: expect.stringContaining(nats.url) };
  await expect(connect({ ...options, credentials: wrong })).rejects.toMatchObject(refused);
  await expect(connect(options)).rejects.toMatchObject(refused);
});

test.each<[string, unknown, RegExp]>([
  ['nothing', {}, /got \{ {2}\}/],
  ['a part', { user: 'me' }, /got \{ user \}/],
  ['two ways', { token: 't', nkeySeed: 'SU' }, /got \{ token, nkeySeed \}/],
  ['an empty one', { token: '' }, /`token` that is no text or an empty one/],
  ['one of another kind', { token: 7 }, /`token` that is no text/],
  ['a seed that is none', { nkeySeed: 'SUSECRET' }, /`nkeySeed` is no seed/],
  ['a file that is not there', { credsFile: '/nowhere/me.creds' }, /\/nowhere\/me\.creds.*ENOENT/],
  ['a file of something else', { credsFile: import.meta.filename }, /does not hold a user's JWT/],
])('%s is refused before anything is connected to, and no secret is shown', async (_, given, message) => {
  // As a JavaScript caller may pass it.
  const credentials = given as Credentials;
  const refused = connect({ servers: 'nats://127.0.0.1:1', name: 'test', credentials });
  await expect(refused).rejects.toMatchObject({ code: 'CONFIG_VALUE', message: expect.stringMatching(message) });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('SUSECRET') });
});

test('in the address and beside it they are refused, without showing any', async () => {
  await using nats = await realNatsServer();
  const servers = nats.url.replace('//', '//me:s3cret@');
  const refused = connect({ servers, name: 'test', credentials: { token: 't0ken' } });
  await expect(refused).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringMatching(/s3cret|t0ken/) });
});
