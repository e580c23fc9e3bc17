import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { openMemoryStore } from '../store/mod.ts';
import { Settings } from './settings.ts';

test('parameters are on disk before they are in force, for the router, the host and the endpoint', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  onTestFinished(() => store.close());
  const told: unknown[] = [];
  const part = (path: string) => ({
    path,
    tell: (message: unknown) => told.push([store.snapshot().system_params.length, message]) > 0,
  });
  const settings = new Settings(store, part('router'), part('controller'), part('endpoint'));
  await settings.set({ deadline_ms: 4_000, boot_timeout_ms: 9_000 });
  expect(told).toEqual([
    [2, { kind: 'set-parameters', parameters: expect.objectContaining({ bootTimeoutMs: 9_000 }) }],
    [2, { kind: 'params', params: expect.objectContaining({ deadlineMs: 4_000, bootTimeoutMs: 9_000 }) }],
    [2, { kind: 'default-deadline', deadlineMs: 4_000 }],
  ]);
  await expect(settings.set({ deadline_ms: -1 })).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
  expect(told).toHaveLength(3);
});

test('memory that an image cannot run with is refused before anything is written, and other parameters are not', async () => {
  const store = await openMemoryStore({ clock: systemClock });
  onTestFinished(() => store.close());
  const nobody = { path: 'nobody', tell: () => true };
  const settings = new Settings(store, nobody, nobody, nobody);
  const told: number[] = [];
  settings.setImages({
    checkMemory: () => {
      throw new ShoalError('CONFIG_VALUE', 'too little');
    },
    tellMemory: () => told.push(settings.params.vmMemoryBytes),
  });
  await expect(settings.change({ vm_memory_bytes: 2 ** 20 })).rejects.toMatchObject({ message: 'too little' });
  expect([settings.params.vmMemoryBytes, told]).toEqual([0, []]);
  await settings.change({ free_count: 3 });
  expect(settings.params.freeCount).toBe(3);
  // What another host has set is in force here too, as far as the images allow.
  await settings.set({ vm_memory_bytes: 2 ** 20 });
  expect(told.at(-1)).toBe(2 ** 20);
});
