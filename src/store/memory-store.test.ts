import { ManualClock } from '../actors/kit/mod.ts';
import { ShoalError } from '../errors.ts';
import { MemoryDisk, openMemoryStore } from './memory-store.ts';
import { storeConformance } from './testing/store-conformance.ts';

storeConformance('the store in memory', async () => {
  const clock = new ManualClock();
  let disk = new MemoryDisk();
  return {
    clock,
    open() {
      disk = disk.crash();
      return openMemoryStore({ clock, disk });
    },
    failWrites(fail) {
      disk.failure = fail ? new ShoalError('STORE_WRITE_FAILED', 'the simulated disk is full') : undefined;
    },
    dispose: async () => undefined,
  };
});
