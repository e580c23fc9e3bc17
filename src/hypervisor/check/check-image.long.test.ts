import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseProfile } from '../profile/parse-profile.ts';
import { inspectImage } from '../qemu/image.ts';
import { rawGuest } from '../testing/raw-guest.ts';
import { GUEST_IMAGE, type RealHypervisor, realHypervisor, usableAccelerators } from '../testing/real-hypervisor.ts';
import { checkImage } from './check-image.ts';
import { CHECK_POINTS, type CheckPoint } from './check-point.ts';

const BIND = '10.0.2.15/24';
/** It has to say something before. */
const SLOW = { bootTimeoutMs: 5_000 };
const READY_END = 'port=9000 max=1048576 idempotent=1 ops=upper';

/** @param fields of the profile @param image made for an address, which the ready line has to repeat */
async function checked(
  real: RealHypervisor,
  image: (addr: string) => Buffer,
  fields: object = {},
): Promise<Map<string, CheckPoint>> {
  const address = await real.freeAddress();
  const path = join(real.folder, 'guest');
  writeFileSync(path, image(`${address.ip}:${address.port}`));
  const profile = parseProfile({ bootTimeoutMs: 1_500, ...fields }, 'test');
  const points = await checkImage({
    hypervisor: real.hypervisor,
    image: await inspectImage(path, profile),
    accelerator: 'tcg',
    address,
    stepMs: 700,
  });
  expect(points.map(({ name }) => name).sort()).toEqual(Object.keys(CHECK_POINTS).sort());
  // Nothing is left of it.
  expect(await real.hypervisor.list()).toEqual([]);
  return new Map(points.map((point) => [point.name, point]));
}

function failed(points: ReadonlyMap<string, CheckPoint>): readonly string[] {
  return [...points.values()].filter(({ state }) => state === 'failed').map(({ name }) => name);
}

describe('the check of an image', () => {
  it.each(usableAccelerators())(
    'finds that the built-in one keeps the whole contract, under %s',
    async (accelerator) => {
      await using real = await realHypervisor();
      const image = await inspectImage(GUEST_IMAGE);
      const seen: CheckPoint[] = [];
      const points = await checkImage({
        ...{ hypervisor: real.hypervisor, image, accelerator, address: await real.freeAddress() },
        stepMs: 20_000,
        onPoint: (point) => seen.push(point),
      });
      expect(points.filter(({ state }) => state !== 'ok')).toEqual([]);
      expect(seen).toEqual(points);
      expect(points).toHaveLength(Object.keys(CHECK_POINTS).length);
      expect(await real.hypervisor.list()).toEqual([]);
    },
  );

  it('finds that one never boots: its console stays silent', async () => {
    await using real = await realHypervisor();
    const points = await checked(real, () => rawGuest('', 'halt'));
    expect(failed(points)).toEqual(['ready']);
    expect(points.get('ready')?.why).toBe('not within 1500 ms; its console said nothing');
    expect(points.get('link')).toMatchObject({ state: 'skipped', why: 'it did not become ready' });
  });

  it('finds that one prints garbage, and shows none of it that a terminal would obey', async () => {
    await using real = await realHypervisor();
    const noise = Buffer.from(Array.from({ length: 3_000 }, (_, at) => (at * 7_919) % 256));
    const image = rawGuest(Buffer.concat([noise, Buffer.from('\n\x1b[31mred\x07\n')]), 'halt');
    const points = await checked(real, () => image, SLOW);
    expect(failed(points)).toEqual(['ready']);
    expect(points.get('ready')?.why).toBe('not within 5000 ms; its console said last: "red"');
  });

  it('finds that one says ready otherwise than the contract has it, and quotes the line', async () => {
    await using real = await realHypervisor();
    const points = await checked(real, (addr) => rawGuest(`shoal1 ready bind=${BIND} addr=${addr}\n`, 'halt'), SLOW);
    expect(failed(points)).toEqual(['ready']);
    expect(points.get('ready')?.why).toMatch(/refused: `ops` is missing: "shoal1 ready bind=/);
  });

  it('finds that one faults', async () => {
    await using real = await realHypervisor();
    const points = await checked(real, () => rawGuest('hello\n', 'triple-fault'), SLOW);
    expect(points.get('ready')?.why).toBe('QEMU ended (exit code 0) before it was; its console said last: "hello"');
  });

  it('finds that one says to be elsewhere than it was told', async () => {
    await using real = await realHypervisor();
    const points = await checked(
      real,
      () => rawGuest(`shoal1 ready bind=${BIND} addr=9.9.9.9:1 ${READY_END}\n`, 'halt'),
      SLOW,
    );
    expect(points.get('terms')).toMatchObject({
      state: 'failed',
      why: expect.stringMatching(/says addr=9.9.9.9:1, and was told 127/),
    });
  });

  it('finds that one is ready and never listens', async () => {
    await using real = await realHypervisor();
    const points = await checked(real, (addr) =>
      rawGuest(`shoal1 ready bind=${BIND} addr=${addr} ${READY_END}\n`, 'halt'),
    );
    expect(points.get('terms')?.state).toBe('ok');
    // Told to stop it does nothing either.
    expect(failed(points)).toEqual(['link', 'stop', 'exit']);
    expect(points.get('link')?.why).toMatch(/^no answer within 700 ms on port 9000/);
    expect(points.get('exit')?.why).toMatch(/runs on 2000 ms after/);
  });

  it('finds that one has more memory than there is, and floods its console', async () => {
    await using real = await realHypervisor();
    const lie = `shoal1 status seq=1 cpu=0 ram=99999999999 inflight=0 served=0\n`;
    const points = await checked(
      real,
      (addr) => rawGuest(`shoal1 ready bind=${BIND} addr=${addr} ${READY_END}\n${lie}`, 'again'),
      SLOW,
    );
    expect(failed(points)).toContain('console');
    expect(points.get('console')?.why).toMatch(/lines were refused, the first of them: `ram` is more than the VM has/);
  });

  it('finds that one powers off by itself', async () => {
    await using real = await realHypervisor();
    const text = (addr: string): string =>
      `shoal1 ready bind=${BIND} addr=${addr} ${READY_END}\nshoal1 bye reason=tired\n`;
    const points = await checked(real, (addr) => rawGuest(text(addr), { exit: 0x23 }), SLOW);
    expect(points.get('link')?.why).toMatch(/QEMU ended \(exit code 71\)/);
    expect(failed(points)).toEqual(expect.arrayContaining(['link', 'stop']));
  });

  it('of one that says nothing judges it by its answers, of which there are none', async () => {
    await using real = await realHypervisor();
    const fields = { console: { format: 'none' }, protocol: 'http', readiness: { path: '/ready' } };
    const points = await checked(real, () => rawGuest('hello\n', 'halt'), fields);
    expect(points.get('ready')?.why).toMatch(/no answer within 1500 ms on port 9000: .*no answer within \d+ ms/);
  });

  it('ends, with the VM, as soon as nobody waits for it', async () => {
    await using real = await realHypervisor();
    const stopping = new AbortController();
    const path = join(real.folder, 'guest');
    writeFileSync(path, rawGuest('', 'halt'));
    const points = await checkImage({
      hypervisor: real.hypervisor,
      image: await inspectImage(path, parseProfile({ bootTimeoutMs: 3_600_000 }, 'test')),
      accelerator: 'tcg',
      address: await real.freeAddress(),
      signal: stopping.signal,
      onPoint: ({ name }) => {
        if (name === 'start') stopping.abort();
      },
    });
    expect(points.find(({ name }) => name === 'ready')).toMatchObject({ state: 'failed' });
    expect(await real.hypervisor.list()).toEqual([]);
  });
});
