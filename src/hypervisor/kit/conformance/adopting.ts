import assert from 'node:assert/strict';
import type { HypervisorPoint } from './place.ts';
import { adopted, isFound, killed, linked, pings, prepared, refuses, running, started } from './watching.ts';

const GUEST = { textBytesMax: 4_096, idempotent: true, operations: ['upper'] } as const;

/** How a machine goes from one Shoal to the next. */
export const ADOPTING: readonly HypervisorPoint[] = [
  {
    name: 'release, adopt: the machine runs on, and the next has it as it is',
    async holds(place) {
      const spec = await place.spec();
      const { machine } = await started(place, spec);
      await machine.release();
      assert.ok(place.isAlive(machine.process));
      const next = await adopted(place, place.again(), spec.vm);
      assert.deepEqual(next.machine.manifest, machine.manifest);
      assert.deepEqual(next.machine.process, machine.process);
      assert.equal(await next.machine.isRunning(), true);
      await next.hears('shoal1 status');
      await pings(await linked(place, spec));
    },
  },
  {
    name: 'release, adopt: a machine whose CPU has not run is started by the next',
    async holds(place) {
      const { machine } = await prepared(place);
      await machine.release();
      const next = await adopted(place, place.again(), machine.manifest.spec.vm);
      assert.equal(await next.machine.isRunning(), false);
      await next.machine.start();
      await next.hears('shoal1 ready');
    },
  },
  {
    name: 'release: who has let go hears neither console nor exit; who has adopted hears both',
    async holds(place) {
      const watch = await started(place);
      const { machine } = watch;
      await machine.release();
      const { said } = watch;
      const next = await adopted(place, place.again(), machine.manifest.spec.vm);
      await next.hears('shoal1 status', 3);
      await killed(next);
      await isFound(place.hypervisor, machine.manifest.spec.vm, 'gone');
      assert.equal(watch.said, said);
      assert.deepEqual([watch.exits.length, next.exits.length], [0, 1]);
    },
  },
  {
    name: 'adopt: who has adopted tells the guest to stop, and hears its last words before its exit',
    async holds(place) {
      const { machine } = await started(place);
      await machine.release();
      const next = await adopted(place, place.again(), machine.manifest.spec.vm);
      next.machine.writeConsole('stop\n');
      await next.ends();
      assert.match(next.atExit[0]?.said ?? '', /\nshoal1 bye reason=stop\n$/);
    },
  },
  {
    name: 'remember: what the guest said when it was ready is kept with the manifest',
    async holds(place) {
      const { machine } = await started(place);
      await machine.remember(GUEST);
      await machine.release();
      const { vm } = machine.manifest.spec;
      assert.deepEqual((await running(place.again(), vm)).manifest.guest, GUEST);
      assert.deepEqual((await adopted(place, place.again(), vm)).machine.manifest.guest, GUEST);
    },
  },
  {
    name: 'adopt: of a machine that is gone, VM_GONE',
    async holds(place) {
      const watch = await started(place);
      const { manifest } = watch.machine;
      await killed(watch);
      await refuses(place.again().adopt(manifest), 'VM_GONE');
      await watch.machine.remove();
      await refuses(place.again().adopt(manifest), 'VM_GONE');
    },
  },
  {
    name: 'adopt: a manifest of another machine of that id is refused, and the one that runs goes on',
    async holds(place) {
      const spec = await place.spec();
      const { machine } = await started(place, spec);
      await machine.release();
      const other = { ...machine.manifest, uuid: '8c6d4a1e-0f3b-4d52-9a77-2b1c5e60d9f4' };
      await refuses(place.again().adopt(other), 'VM_GONE', 'MANIFEST_INVALID');
      const process = { ...machine.process, startTicks: machine.process.startTicks + 1 };
      await refuses(place.again().adopt({ ...machine.manifest, process }), 'VM_GONE', 'MANIFEST_INVALID');
      await adopted(place, place.again(), spec.vm);
      await pings(await linked(place, spec));
    },
  },
];
