/** Images that take and give any bytes, with a content type: through every door, over every way to the guest, whatever dies. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { headers as natsHeaders, connect as plainConnect } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClientBytesReply, connect } from '../src/client/mod.ts';
import { realNatsServer } from '../src/transport/kit/mod.ts';
import { type FleetOptions, TestFleet } from './driver/fleet.ts';

const ROOT = join(import.meta.dirname, '..');
const BUILT_IN = join(ROOT, 'includeos/build/shoal-guest.elf');
const run = promisify(execFile);

const ALL = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const HEX = Buffer.from(ALL).toString('hex');
const PNG = 'image/png';
const OCTETS = 'application/octet-stream';

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-bytes-'));
  const service = join(ROOT, 'includeos/test/bytes');
  await run('sh', [join(ROOT, 'includeos/build.sh'), '--service', service, '--image', join(folder, 'bytes.elf')]);
  writeFileSync(join(folder, 'bytes.shoal.json'), JSON.stringify({ payload: 'bytes' }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (options: FleetOptions = {}, flags: readonly string[] = []): Promise<TestFleet> =>
  TestFleet.start({ ...options, flags: ['--image', join(folder, 'bytes.elf'), '--http', '0', ...flags] });

/** A reply, as something that can be compared. */
const shown = ({ bytes, contentType }: ClientBytesReply) => [contentType, Buffer.from(bytes).toString('hex')];

const clientOf = ({ ready }: TestFleet) => connect({ servers: ready.nats, fleet: ready.fleet, deadlineMs: 60_000 });

describe.each<[string, FleetOptions, readonly string[]]>([
  ['frames over TCP', { network: 'user' }, []],
  ['frames over a port', { network: 'none' }, []],
  ['HTTP', { network: 'user' }, ['--profile-set', 'protocol=http']],
])('an image that takes bytes, over %s', (_, options, flags) => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await start(options, flags);
  });
  afterAll(() => fleet?.stop());

  test('gets any bytes with their content type, and gives them', async () => {
    await using client = await clientOf(fleet);
    const echoed = await client.requestBytes(ALL, { op: 'echo', contentType: PNG });
    expect(shown(echoed)).toEqual([PNG, HEX]);
    expect(shown(await client.requestBytes(ALL))).toEqual([OCTETS, HEX]);
    expect(shown(await client.requestBytes(new Uint8Array(0), { op: 'all' }))).toEqual(['image/x-all', HEX]);
    const large = Uint8Array.from({ length: 1_000_000 }, (__, at) => (at * 7 + (at >> 8)) & 0xff);
    const { bytes, contentType } = await client.requestBytes(large, { contentType: 'a/b; c="d"' });
    expect([Buffer.compare(bytes, large), contentType]).toEqual([0, 'a/b; c="d"']);
    const longest = `a/${'x'.repeat(253)}`;
    expect((await client.request('', { op: 'type', contentType: longest })).text).toBe(longest);
  });

  test('is reached by any NATS client: the type is a header, one that is none is refused', async () => {
    const nats = await plainConnect({ servers: fleet.ready.nats });
    try {
      const ask = async (type: string) => {
        const headers = natsHeaders();
        headers.set('Content-Type', type);
        headers.set('Shoal-Op', 'echo');
        return await nats.request(fleet.ready.subject, ALL, { headers, timeout: 30_000 });
      };
      const reply = await ask(PNG);
      expect([reply.headers?.get('Content-Type'), Buffer.compare(reply.data, ALL)]).toEqual([PNG, 0]);
      for (const bad of ['a\tb', 'größe', 'x'.repeat(256)]) {
        const refused = await ask(bad);
        expect(refused.headers?.get('Nats-Service-Error-Code')).toBe('400');
        expect(refused.headers?.get('Nats-Service-Error')).toContain('Content-Type: expected 1 to 255 printable ASCII');
      }
    } finally {
      await nats.close();
    }
  });

  test('is reached over HTTP: the type is a header, one that is too long is refused', async () => {
    const url = fleet.ready.http ?? '';
    const post = (type: string, op = 'echo') =>
      fetch(`${url}/${op}`, { method: 'POST', body: ALL, headers: { 'Content-Type': type } });
    const reply = await post(PNG);
    expect(reply.headers.get('content-type')).toBe(PNG);
    expect(Buffer.compare(Buffer.from(await reply.arrayBuffer()), ALL)).toBe(0);
    expect(await (await post(PNG, 'type')).text()).toBe(PNG);
    const refused = await post(`a/${'x'.repeat(300)}`);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('Content-Type: expected')]);
  });

  test('is reached by `shoal send`, which prints the bytes as they are', async () => {
    const file = join(folder, 'all.bin');
    writeFileSync(file, ALL);
    const args = ['send', '--data', fleet.data, '--file', file, '--content-type', PNG];
    const { stdout } = await run(join(ROOT, 'bin/shoal'), args, { encoding: 'buffer' });
    expect(Buffer.compare(stdout, ALL)).toBe(0);
    expect(await fleet.json('send', ['--file', file, '--content-type', PNG])).toMatchObject({
      reply_base64: Buffer.from(ALL).toString('base64'),
      content_type: PNG,
    });
    expect(await fleet.run('send', ['--content-type', 'a\nb', 'x'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('expected --content-type to be 1 to 255 printable ASCII characters'),
    });
    // Without a type, what is sent is text.
    expect(await fleet.run('send', ['--file', file])).toMatchObject({ stderr: expect.stringContaining('not UTF-8') });
  });

  test('gives a repeat the same bytes of the same type, and takes another type for another request', async () => {
    await using client = await clientOf(fleet);
    const id = `${Math.random()}`;
    const first = await client.requestBytes(ALL, { id, contentType: PNG });
    const again = await client.requestBytes(ALL, { id, contentType: PNG });
    expect([...shown(again), again.vm]).toEqual([PNG, HEX, first.vm]);
    await expect(client.requestBytes(ALL, { id, contentType: 'image/gif' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    await expect(client.requestBytes(ALL, { id })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(client.requestBytes(ALL, { contentType: 'a\r\nShoal-Op: upper' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('contentType'),
    });
  });
});

test('a reply that outlives Shoal comes with its content type', async () => {
  const first = await start();
  await using client = await clientOf(first);
  const sent = client.requestBytes(ALL, { op: 'slow', contentType: PNG });
  await first.until('it is in work', ({ vms }) => vms.some((vm) => vm.in_flight > 0));
  await first.kill();
  await using _fleet = await first.resume();
  expect(shown(await sent)).toEqual([PNG, HEX]);
});

test('a host that hands requests on gives their content type along, and the reply comes with its own', async () => {
  await using server = await realNatsServer();
  const on = (host: string): readonly string[] => ['--nats', server.url, '--host', host];
  await using front = await TestFleet.start({ role: 'server', flags: ['--http', '0', ...on('front')] });
  await using _back = await TestFleet.start({
    role: 'controller',
    flags: ['--image', join(folder, 'bytes.elf'), ...on('back')],
  });
  await using client = await clientOf(front);
  const id = 'handed';
  for (let time = 0; time < 2; time++) {
    const reply = await client.requestBytes(ALL, { op: 'echo', contentType: PNG, id });
    expect([reply.host, ...shown(reply)]).toEqual(['back', PNG, HEX]);
  }
  const over = await fetch(`${front.ready.http}/echo`, { method: 'POST', body: ALL, headers: { 'Content-Type': PNG } });
  expect([over.headers.get('shoal-host'), over.headers.get('content-type')]).toEqual(['back', PNG]);
});

test('an image of version 1 that takes bytes is told no type, and its replies are bytes', async () => {
  const image = join(folder, 'old.elf');
  cpSync(BUILT_IN, image);
  await using fleet = await TestFleet.start({ flags: ['--image', image, '--profile-set', 'payload=bytes'] });
  await using client = await clientOf(fleet);
  const reply = await client.requestBytes(Buffer.from('größe'), { op: 'upper', contentType: PNG });
  expect([Buffer.from(reply.bytes).toString(), reply.contentType]).toEqual(['GRÖSSE', OCTETS]);
});

test('text stays text: an image that says nothing of bytes is told no type, gives none, and refuses what is not UTF-8', async () => {
  await using fleet = await TestFleet.start();
  await using client = await clientOf(fleet);
  expect(await client.request('größe', { contentType: PNG })).toMatchObject({ text: 'GRÖSSE' });
  expect((await client.requestBytes(Buffer.from('x'), { contentType: PNG })).contentType).toBeUndefined();
  await expect(client.requestBytes(ALL, { contentType: PNG })).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('not valid UTF-8'),
  });
});
