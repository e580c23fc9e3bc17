/** What `shoal image deploy` promises, seen from outside, with real VMs under load. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realNatsServer } from '../src/transport/kit/mod.ts';
import { CRASHES, LACKS } from './driver/bad-services.ts';
import { type DeployStatus, deploy, deployed, statusOf, underLoad, WORKERS } from './driver/deploying.ts';
import { eventually, TestFleet } from './driver/fleet.ts';
import { imageOf, sameGuest, withEntry } from './driver/images.ts';
import { leftovers } from './driver/leftovers.ts';
import { ShoalProcess, shoal } from './driver/shoal-process.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-deploy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FLAGS = ['--min', '3', '--set', 'free_count=100000', '--set', 'vm_requests_max=4'];

describe('under load every request is replied to', () => {
  test.each([
    ['where addresses are free', 8, '1'],
    ['with several canaries', 8, '3'],
    ['without canaries', 8, '0'],
    ['where none is free: one VM out, one in', 3, '1'],
  ])('%s', async (what, addresses, canary) => {
    await using fleet = await TestFleet.start({ addresses, flags: FLAGS });
    const before = await fleet.snapshot();
    const image = sameGuest(folder, `good ${what}`);
    const sums = await underLoad(fleet, async () => {
      expect(await deploy(fleet, image, '--canary', canary)).toMatchObject({ exitCode: 0 });
    });
    expect(sums).toMatchObject({ replied: sums.sent, refused: {}, broken: [], unanswered: 0 });
    const status = await statusOf(fleet);
    expect(status).toMatchObject({
      deploy: { phase: 'deployed', image: status.image },
      vms: [{ image: status.image }],
    });
    const { vms } = await fleet.snapshot();
    expect(vms.length).toBeGreaterThanOrEqual(3);
    expect(vms.filter((vm) => before.vms.some((old) => old.id_vmachine === vm.id_vmachine))).toEqual([]);
    expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
    expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  });

  test('a fleet of one VM with one address', async () => {
    await using fleet = await TestFleet.start({ addresses: 1, flags: ['--set', 'vm_requests_max=4'] });
    const image = sameGuest(folder, 'only one');
    const sums = await underLoad(fleet, async () => {
      expect(await deploy(fleet, image)).toMatchObject({ exitCode: 0 });
    });
    expect(sums).toMatchObject({ replied: sums.sent, refused: {}, broken: [], unanswered: 0 });
  });
});

describe('a bad image', () => {
  test('that crashes over requests is rolled back, and every request is replied to', async () => {
    const image = await imageOf(folder, 'crashes', CRASHES);
    await using fleet = await TestFleet.start({ addresses: 8, flags: FLAGS });
    const { image: before } = await statusOf(fleet);
    const sums = await underLoad(fleet, async () => {
      const { exitCode, stderr } = await deploy(fleet, image, '--canary-time', '60');
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('was rolled back') });
    });
    expect(sums).toMatchObject({ replied: sums.sent, refused: {}, broken: [], unanswered: 0 });
    const status = await statusOf(fleet);
    expect(status).toMatchObject({ image: before, vms: [{ image: before }], deploy: { phase: 'rolled-back' } });
    expect(status.deploy.why).toMatch(/new VMs fail \(VM \d+: the guest said bye: panic/);
  });

  test('that answers wrongly is rolled back after a few of its errors', async () => {
    const image = await imageOf(folder, 'lacks', LACKS);
    await using fleet = await TestFleet.start({ addresses: 8, flags: FLAGS });
    const { image: before } = await statusOf(fleet);
    const sums = await underLoad(fleet, async () => {
      expect(await deploy(fleet, image, '--canary-time', '60')).toMatchObject({ exitCode: 1 });
    });
    expect(sums).toMatchObject({ broken: [], unanswered: 0 });
    const errors = sums.sent - sums.replied;
    expect(errors).toBeGreaterThanOrEqual(5);
    // Those that it had in hand when it was judged.
    expect(errors).toBeLessThanOrEqual(5 + 2 * WORKERS);
    const status = await statusOf(fleet);
    expect(status).toMatchObject({ image: before, vms: [{ image: before }], deploy: { phase: 'rolled-back' } });
    expect(status.deploy.why).toContain('new VMs answer worse');
  });

  test.each([
    ['that hangs in its boot', [0xeb, 0xfe], 'its check failed at'],
    ['that crashes in its boot', [0x0f, 0x0b], 'its check failed at'],
  ])('%s is refused before a VM is replaced', async (what, code, why) => {
    const image = withEntry(folder, what, code);
    await using fleet = await TestFleet.start({ addresses: 3, flags: [...FLAGS, '--set', 'boot_timeout_ms=1500'] });
    const before = await fleet.snapshot();
    const sums = await underLoad(fleet, async () => {
      expect(await deploy(fleet, image)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(why) });
    });
    expect(sums).toMatchObject({ replied: sums.sent, refused: {}, broken: [], unanswered: 0 });
    expect((await statusOf(fleet)).deploy).toMatchObject({ phase: 'refused' });
    const ids = ({ vms }: typeof before): number[] => vms.map(({ id_vmachine }) => id_vmachine);
    expect(ids(await fleet.snapshot())).toEqual(ids(before));
    expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
    expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  });

  test('that is none is refused by the command', async () => {
    await using fleet = await TestFleet.start({ flags: [] });
    const { exitCode, stderr } = await deploy(fleet, '/etc/passwd');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('IMAGE_INVALID') });
  });
});

test('the next Shoal starts what was deployed, and says that the image of its command line is another', async () => {
  await using fleet = await TestFleet.start({ flags: [] });
  await deploy(fleet, sameGuest(folder, 'kept'));
  const { image } = await statusOf(fleet);
  await fleet.kill();
  const { up } = fleet;
  await using next = await fleet.resume();
  expect(next.up).not.toBe(up);
  await next.run('restart');
  await next.until('the VM is another one', ({ vms }) =>
    vms.every(({ id_vmachine: id, state }) => id > 2 && state === 'ready'),
  );
  expect(await statusOf(next)).toMatchObject({ image, vms: [{ image, vms: 1 }] });
  const warnings = (await next.events()).filter(({ kind }) => kind === 'warning').map(({ text }) => text);
  expect(warnings).toEqual([expect.stringContaining('which was deployed')]);
});

test('who starts a Shoal is shown that what was deployed is not the image of the command line', async () => {
  await using fleet = await TestFleet.start({ flags: [] });
  await deployed(fleet, sameGuest(folder, 'shown'));
  await fleet.kill();
  const up = new ShoalProcess(['up', '--data', fleet.data]);
  await up.stderrHas(/VMs are started from the image \w+, which was deployed, and not from .*\n/);
  await up.stderrHas(/Ctrl-C ends everything\.\n/);
  up.signal('SIGINT');
  expect(await up.finished).toMatchObject({ exitCode: 0 });
});

test('a second deploy is refused while one runs, which is given up by a roll-back', async () => {
  await using fleet = await TestFleet.start({ flags: [] });
  const [one, two] = [sameGuest(folder, 'one'), sameGuest(folder, 'two')];
  const { image } = await statusOf(fleet);
  await fleet.run('image', ['deploy', one, '--canary-time', '600']);
  await fleet.until(
    'its canary is there',
    ({ vms }) => vms.length === 2 && vms.every(({ state }) => state === 'ready'),
  );
  const ps = await fleet.run('ps');
  expect(ps.stdout).toContain('IMAGE');
  expect(await fleet.run('image', ['deploy', two])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('DEPLOY_RUNNING'),
  });
  expect(await fleet.run('image', ['rollback', '--wait'])).toMatchObject({ exitCode: 0 });
  expect(await statusOf(fleet)).toMatchObject({ image, vms: [{ image, vms: 1 }], deploy: { phase: 'rolled-back' } });
  expect(await fleet.run('image', ['rollback'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('DEPLOY_NONE'),
  });
});

test('whoever waits for a deploy is told if another has taken its place, and does not take that one for it', async () => {
  await using fleet = await TestFleet.start({ flags: [] });
  const args = ['--data', fleet.data, '--wait', '--canary-time', '600'];
  const waiting = new ShoalProcess(['image', 'deploy', sameGuest(folder, 'waited for'), ...args]);
  await waiting.stderrHas(/is tried on 1 canary, for 600 s or 1000 answers/);
  // It looks every now and then, and here not while the one ends and the other begins.
  waiting.signal('SIGSTOP');
  expect(await fleet.run('image', ['rollback', '--wait'])).toMatchObject({ exitCode: 0 });
  await deployed(fleet, sameGuest(folder, 'another'));
  waiting.signal('SIGCONT');
  expect(await waiting.finished).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/image \w+ is no longer the last deploy on \S+: it has ended, and that of image/),
  });
});

test('of two that deploy the same image at once, one begins and the other is told so', async () => {
  await using fleet = await TestFleet.start({ flags: [] });
  const image = sameGuest(folder, 'twice');
  const both = await Promise.all([1, 2].map(() => fleet.run('image', ['deploy', image, '--canary-time', '1'])));
  expect(both.map(({ exitCode }) => exitCode).sort(), JSON.stringify(both)).toEqual([0, 1]);
  expect(both.find(({ exitCode }) => exitCode === 1)?.stderr).toContain('DEPLOY_RUNNING');
  await eventually('it is deployed', async () =>
    (await statusOf(fleet)).deploy.phase === 'deployed' ? true : undefined,
  );
});

test('the last deploy is undone by a roll-back', async () => {
  await using fleet = await TestFleet.start({ flags: [] });
  const { image } = await statusOf(fleet);
  await deploy(fleet, sameGuest(folder, 'undone'), '--canary', '0');
  expect((await statusOf(fleet)).image).not.toBe(image);
  expect(await fleet.run('image', ['rollback', '--wait'])).toMatchObject({ exitCode: 0 });
  expect(await statusOf(fleet)).toMatchObject({ image, vms: [{ image, vms: 1 }] });
});

test('a deploy takes the profile along: the new VMs have its memory', async () => {
  await using fleet = await TestFleet.start({ addresses: 3, flags: ['--set', 'vm_requests_max=4'] });
  const image = sameGuest(folder, 'larger');
  writeFileSync(`${image}.shoal.json`, JSON.stringify({ memoryMib: 24 }));
  const sums = await underLoad(fleet, async () => {
    expect(await deploy(fleet, image)).toMatchObject({ exitCode: 0 });
  });
  expect(sums).toMatchObject({ replied: sums.sent, refused: {}, broken: [], unanswered: 0 });
  const { vms } = await fleet.until('one VM is left', (now) => now.vms.every(({ state }) => state === 'ready'));
  const inspected = await fleet.json('inspect', [String(vms[0]?.id_vmachine)]);
  expect(await fleet.json('hosts')).toMatchObject([{ memory_mib: 24 }]);
  expect(inspected).toMatchObject({ memory_mib: 24, image_digest: (await statusOf(fleet)).image });
});

test('each host of a fleet in reach is told, and sent the image; one that was away is told later', async () => {
  await using server = await realNatsServer();
  const flags = (host: string) => ['--nats', server.url, '--host', host, '--set', 'vm_requests_max=4'];
  await using a = await TestFleet.start({ addresses: 3, flags: flags('a') });
  await using b = await TestFleet.start({ addresses: 3, flags: flags('b') });
  const run = (...args: readonly string[]) => shoal(['image', ...args, '--nats', server.url]);
  // As in `statusOf`.
  const rows = async () => JSON.parse((await run('status', '-o', 'json')).stdout || '[]') as readonly DeployStatus[];
  await eventually('both are there', async () => ((await rows()).length === 2 ? true : undefined));
  const image = sameGuest(folder, 'of many hosts');
  const only = ['deploy', image, '--canary-time', '1', '--wait'];
  expect(await run(...only, '--host', 'a')).toMatchObject({ exitCode: 0 });
  const [first, second] = await rows();
  expect(first?.image).not.toBe(second?.image);
  const sums = await underLoad(b, async () => {
    // Host a has it, and has nothing to do.
    expect(await run(...only)).toMatchObject({ exitCode: 0 });
  });
  expect(sums).toMatchObject({ replied: sums.sent, refused: {}, broken: [], unanswered: 0 });
  const now = await rows();
  expect(now.map((row) => [row.image, row.deploy.phase])).toEqual(now.map(() => [first?.image, 'deployed']));
  expect((await a.snapshot()).vms.length).toBeGreaterThan(0);
});
