import assert from 'node:assert/strict';
import type { HypervisorPoint } from './place.ts';
import { isFound, killed, prepared, refuses, started, Watch } from './watching.ts';

/** How machines end, and what is left of them. */
export const ENDING: readonly HypervisorPoint[] = [
  {
    name: 'signal: SIGKILL ends it; that is told once, with the signal, when the process is gone',
    async holds(place) {
      const watch = await started(place);
      await killed(watch);
      await isFound(place.hypervisor, watch.machine.manifest.spec.vm, 'gone');
      assert.deepEqual(
        watch.exits.map(({ exitCode, signal }) => ({ exitCode, signal })),
        [{ exitCode: null, signal: 'SIGKILL' }],
      );
      assert.equal(watch.atExit[0]?.ran, false);
    },
  },
  {
    name: 'signal: SIGTERM ends it, and only it',
    async holds(place) {
      const [watch, other] = [await started(place), await prepared(place)];
      watch.machine.signal('SIGTERM');
      await watch.ends();
      assert.ok(place.isAlive(other.machine.process));
      assert.equal(await other.machine.isRunning(), false);
      assert.deepEqual(other.exits, []);
    },
  },
  {
    name: 'quit: it ends, whether its CPU has run or not',
    async holds(place) {
      for (const watch of [await prepared(place), await started(place)]) {
        await watch.machine.quit();
        await watch.ends();
        assert.equal(watch.atExit[0]?.ran, false);
      }
    },
  },
  {
    name: 'onExit: an end that came before the listener is told to it',
    async holds(place) {
      const first = await started(place);
      await killed(first);
      const late = new Watch(place, first.machine);
      await late.ends();
      assert.deepEqual(late.exits, first.exits);
    },
  },
  {
    name: 'onExit: once it is told, another VM can have the address',
    async holds(place) {
      const watch = await started(place);
      const { address } = watch.machine.manifest.spec;
      await killed(watch);
      await started(place, await place.spec({ address }));
    },
  },
  {
    name: 'start, isRunning, quit: a machine that is gone refuses them',
    async holds(place) {
      const watch = await prepared(place);
      await killed(watch);
      const { machine } = watch;
      for (const work of [machine.start(), machine.isRunning(), machine.quit()]) {
        await refuses(work, 'QMP_ERROR', 'QMP_TIMEOUT');
      }
    },
  },
  {
    name: 'remove: nothing is left, and the id can be used again',
    async holds(place) {
      const watch = await started(place);
      const { spec } = watch.machine.manifest;
      await killed(watch);
      await isFound(place.again(), spec.vm, 'gone');
      await watch.machine.remove();
      await isFound(place.hypervisor, spec.vm, 'nothing');
      await started(place, spec);
    },
  },
  {
    name: 'end, discard: a machine that nobody drives is ended and removed; the others go on',
    async holds(place) {
      const [watch, other] = [await started(place), await started(place)];
      const { machine } = watch;
      const { vm } = machine.manifest.spec;
      await machine.release();
      const next = place.again();
      assert.equal(await next.end(machine.process), true);
      assert.equal(place.isAlive(machine.process), false);
      await isFound(next, vm, 'gone');
      await next.discard(vm);
      await isFound(next, vm, 'nothing');
      assert.ok(place.isAlive(other.machine.process));
    },
  },
  {
    name: 'end: of a process that is gone, that is said',
    async holds(place) {
      const watch = await started(place);
      await killed(watch);
      assert.equal(await place.hypervisor.end(watch.machine.process), true);
    },
  },
  {
    name: 'find: of a VM that never was, nothing is said',
    async holds(place) {
      assert.equal(await place.hypervisor.find(4_711), undefined);
      assert.deepEqual(await place.hypervisor.list(), []);
    },
  },
];
