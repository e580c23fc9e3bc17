import assert from 'node:assert/strict';
import { BUILT_IN_PROFILE } from '../../profile/shipped.ts';
import type { HypervisorPoint } from './place.ts';
import { isFound, killed, linked, pings, prepared, refuses, running, started } from './watching.ts';

/** `prepare`, `start` and what a host says of itself. */
export const MAKING: readonly HypervisorPoint[] = [
  {
    name: 'prepare: the process runs, its CPU does not, and the guest has said nothing',
    async holds(place) {
      const watch = await prepared(place);
      assert.ok(place.isAlive(watch.machine.process));
      assert.equal(await watch.machine.isRunning(), false);
      assert.equal(watch.said, '');
    },
  },
  {
    name: 'prepare: its manifest is kept on the host, and names the spec and the process',
    async holds(place) {
      const spec = await place.spec();
      const { machine } = await prepared(place, spec);
      assert.deepEqual(machine.manifest.spec, spec);
      assert.deepEqual(machine.manifest.process, machine.process);
      await machine.release();
      assert.deepEqual((await running(place.again(), spec.vm)).manifest, machine.manifest);
    },
  },
  {
    name: 'prepare: whoever looks for the VM meanwhile waits for it, and does not take it for the remains of one',
    async holds(place) {
      const spec = await place.spec();
      const preparing = place.hypervisor.prepare(spec);
      await isFound(place.hypervisor, spec.vm, 'held');
      await preparing;
    },
  },
  {
    name: 'prepare: an id that is in use is MANIFEST_INVALID, and its VM goes on',
    async holds(place) {
      const spec = await place.spec();
      const { machine } = await started(place, spec);
      const { address } = await place.spec();
      await refuses(place.hypervisor.prepare({ ...spec, address }), 'MANIFEST_INVALID');
      await pings(await linked(place, spec));
      await machine.release();
      assert.deepEqual((await running(place.again(), spec.vm)).manifest, machine.manifest);
    },
  },
  {
    name: 'prepare: an id whose remains are there is MANIFEST_INVALID',
    async holds(place) {
      const spec = await place.spec();
      await killed(await started(place, spec));
      await refuses(place.hypervisor.prepare(spec), 'MANIFEST_INVALID');
      await isFound(place.hypervisor, spec.vm, 'gone');
    },
  },
  {
    name: 'prepare: an address that is in use is PORT_TAKEN; nothing is left, and the other VM goes on',
    async holds(place) {
      const spec = await place.spec();
      await started(place, spec);
      const other = await place.spec({ address: spec.address });
      await refuses(place.hypervisor.prepare(other), 'PORT_TAKEN');
      await isFound(place.hypervisor, other.vm, 'nothing');
      await pings(await linked(place, spec));
    },
  },
  {
    name: 'prepare: an image that is not there is IMAGE_MISSING, and nothing is left',
    async holds(place) {
      const spec = await place.spec({ image: '/nowhere/image.elf' });
      await refuses(place.hypervisor.prepare(spec), 'IMAGE_MISSING');
      await isFound(place.hypervisor, spec.vm, 'nothing');
    },
  },
  {
    name: 'prepare: an image with another digest than that of the spec is IMAGE_INVALID, and nothing is left',
    async holds(place) {
      const spec = await place.spec({ imageDigest: 'of another image' });
      await refuses(place.hypervisor.prepare(spec), 'IMAGE_INVALID');
      await isFound(place.hypervisor, spec.vm, 'nothing');
    },
  },
  {
    name: 'prepare: an accelerator that the profile rules out is CONFIG_VALUE, and nothing is left',
    async holds(place) {
      const profile = { ...BUILT_IN_PROFILE, accelerators: ['kvm'] as const };
      const spec = await place.spec({ accelerator: 'tcg', profile });
      await refuses(place.hypervisor.prepare(spec), 'CONFIG_VALUE');
      await isFound(place.hypervisor, spec.vm, 'nothing');
    },
  },
  {
    name: 'start: the CPU runs, and the console is heard from its first byte on',
    async holds(place) {
      const watch = await started(place);
      assert.equal(await watch.machine.isRunning(), true);
      assert.match(watch.said, /^\nshoal1 ready [^\n]*\n\nshoal1 status seq=1 /);
    },
  },
  {
    name: 'pause: the CPU stands still, and goes on with start',
    async holds(place) {
      const watch = await started(place);
      await watch.hears('shoal1 status');
      await watch.machine.pause();
      assert.equal(await watch.machine.isRunning(), false);
      const { said } = watch;
      await watch.machine.start();
      assert.equal(await watch.machine.isRunning(), true);
      await watch.hears('shoal1 status', said.split('shoal1 status').length);
    },
  },
  {
    name: 'list: each VM, once',
    async holds(place) {
      const machines = [await started(place), await prepared(place), await started(place)];
      for (const { machine } of machines) await machine.release();
      const listed = await place.again().list();
      const manifests = listed.map((found) => (found.kind === 'running' ? found.manifest : found));
      const byId = [...manifests].sort((one, other) => idOf(one) - idOf(other));
      assert.deepEqual(
        byId,
        machines.map(({ machine }) => machine.manifest),
      );
    },
  },
  {
    name: 'availableBytes: a number of bytes',
    async holds({ hypervisor }) {
      const bytes = await hypervisor.availableBytes();
      assert.ok(Number.isSafeInteger(bytes) && bytes >= 0, String(bytes));
    },
  },
  {
    name: 'cpuDemandMs, cpuUsedMs: never fall, demand is no less than use; or nobody can tell',
    async holds(place) {
      const watch = await started(place);
      const figures = () => [watch.machine.cpuUsedMs(), watch.machine.cpuDemandMs()] as const;
      const [used = 0, demand = used] = figures();
      await watch.hears('shoal1 status', 3);
      const [usedLater = used, demandLater = demand] = figures();
      assert.ok(used >= 0 && demand >= used && usedLater >= used && demandLater >= demand);
    },
  },
];

function idOf(one: { readonly vm?: number | undefined } | { readonly spec: { readonly vm: number } }): number {
  return ('spec' in one ? one.spec.vm : one.vm) ?? -1;
}
