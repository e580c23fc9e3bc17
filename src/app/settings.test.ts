import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
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
