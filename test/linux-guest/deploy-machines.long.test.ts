/** Deploys between the built-in image on a microvm and Linux on a PC, under load. */
import { expect, test } from 'vitest';
import { SHIPPED_PROFILES } from '../../src/hypervisor/mod.ts';
import { deployed, statusOf, underLoad } from '../driver/deploying.ts';
import { TestFleet, temporaryFolder } from '../driver/fleet.ts';
import { sameGuest } from '../driver/images.ts';
import { leftovers } from '../driver/leftovers.ts';
import { linuxGuest } from './linux-guest.ts';

/** A PC boots for seconds, and longer on a machine that does much else. */
const PATIENT = ['boot_timeout_ms=120000', 'ip_reserve_ms=150000', 'last_connect_ms=20000'];
const FLAGS = [
  '--accel',
  'tcg',
  '--min',
  '2',
  ...['free_count=100000', 'vm_requests_max=4', 'vm_backlog_max=4', ...PATIENT].flatMap((param) => ['--set', param]),
];
const LOAD = { workers: 3, deadlineMs: 120_000 };

test.each([
  ['with free addresses', 5],
  ['one VM out, one in', 2],
])('to Linux over HTTP, to Linux that says nothing, and back, %s: no request is lost', async (_what, addresses) => {
  using linux = linuxGuest({ ...SHIPPED_PROFILES['linux'] });
  const builtIn = sameGuest(temporaryFolder(), 'built in');
  await using fleet = await TestFleet.start({ addresses, flags: FLAGS });
  const sums = await underLoad(
    fleet,
    async () => {
      for (const image of [linux.image('http'), linux.image('silent'), linux.image('frames'), builtIn]) {
        await deployed(fleet, image, '--timeout', '400');
        const status = await statusOf(fleet);
        expect(status).toMatchObject({ deploy: { phase: 'deployed' }, vms: [{ image: status.image }] });
        const { vms } = await fleet.snapshot();
        const inspected = await fleet.json('inspect', [String(vms[0]?.id_vmachine)]);
        expect(inspected).toMatchObject({ profile: { machine: image === builtIn ? 'microvm' : 'pc' } });
      }
    },
    LOAD,
  );
  expect(sums).toMatchObject({ replied: sums.sent, refused: {}, broken: [], unanswered: 0 });
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});
