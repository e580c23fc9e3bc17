/** Deploys between images of which one speaks frames and the other HTTP, under load. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CRASHES, LACKS } from './driver/bad-services.ts';
import { deploy, deployed, statusOf, underLoad } from './driver/deploying.ts';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';
import { imageOf, sameGuest } from './driver/images.ts';
import { leftovers } from './driver/leftovers.ts';

const PROBE = { path: '/', intervalMs: 200, timeoutMs: 1_000, failures: 3 };
const HTTP = { protocol: 'http', readiness: PROBE };
/** Nothing is told on the console: Shoal judges it by its answers alone. */
const SILENT = { ...HTTP, liveness: PROBE, console: { format: 'none' }, idempotent: true, powerOff: { by: 'exit' } };

const FLAGS = ['--set', 'free_count=100000', '--set', 'vm_requests_max=4', '--set', 'vm_backlog_max=4'];
const NOTHING_LOST = { refused: {}, broken: [], unanswered: 0 };

/** The guest here answers both, each connection by how it begins. */
function guestOf(folder: string, name: string, profile: object): string {
  const image = sameGuest(folder, name);
  writeFileSync(`${image}.shoal.json`, JSON.stringify(profile));
  return image;
}

test.each([
  ['with free addresses', 8, 3],
  ['one VM out, one in', 3, 3],
  ['with one VM and one address', 1, 1],
])('from frames to HTTP, to a silent one and back, %s: no request is lost', async (_what, addresses, min) => {
  const folder = temporaryFolder();
  await using fleet = await TestFleet.start({ addresses, flags: [...FLAGS, '--min', String(min)] });
  const { image: first } = await statusOf(fleet);
  const images = [guestOf(folder, 'http', HTTP), guestOf(folder, 'silent', SILENT), guestOf(folder, 'frames', {})];
  const digests: string[] = [];
  const sums = await underLoad(fleet, async () => {
    for (const image of images) {
      await deployed(fleet, image);
      const status = await statusOf(fleet);
      expect(status).toMatchObject({ deploy: { phase: 'deployed' }, vms: [{ image: status.image }] });
      digests.push(status.image);
    }
    expect(await fleet.run('image', ['rollback', '--wait'])).toMatchObject({ exitCode: 0 });
    expect((await statusOf(fleet)).image).toBe(digests[1]);
  });
  expect(sums).toMatchObject({ replied: sums.sent, ...NOTHING_LOST });
  expect(new Set([first, ...digests]).size).toBe(4);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

test.each([
  ['crashes over a request', CRASHES, 'new VMs fail'],
  ['answers wrongly', LACKS, 'new VMs answer worse'],
])('a silent HTTP image that %s is rolled back to frames', async (_what, source, why) => {
  const folder = temporaryFolder();
  const image = await imageOf(folder, 'bad', source);
  writeFileSync(`${image}.shoal.json`, JSON.stringify(SILENT));
  await using fleet = await TestFleet.start({ addresses: 8, flags: [...FLAGS, '--min', '3'] });
  const { image: before } = await statusOf(fleet);
  const sums = await underLoad(fleet, async () => {
    expect(await deploy(fleet, image, '--canary-time', '60')).toMatchObject({ exitCode: 1 });
  });
  expect(sums).toMatchObject({ broken: [], unanswered: 0 });
  if (source === CRASHES) expect(sums).toMatchObject({ replied: sums.sent, refused: {} });
  const status = await statusOf(fleet);
  expect(status).toMatchObject({ image: before, vms: [{ image: before }], deploy: { phase: 'rolled-back' } });
  expect(status.deploy.why).toContain(why);
});
