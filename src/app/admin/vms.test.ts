import { expect, onTestFinished, test } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import type { RouterMessage } from '../../fleet/mod.ts';
import { openMemoryStore, paramsOf } from '../../store/mod.ts';
import { Settings } from '../settings.ts';
import type { AdminDeps } from './deps.ts';
import { vmHandlers } from './vms.ts';

test('scale writes the minimum, then tells the router once', async () => {
  await using kit = testKit();
  const store = await openMemoryStore({ clock: systemClock });
  onTestFinished(() => store.close());
  const told: unknown[] = [];
  const router = kit.system.spawn<RouterMessage>(() => (message) => {
    const minimum = paramsOf(store.snapshot()).minVmCount;
    told.push({ kind: message.kind, minimum });
    if (message.kind === 'scale') message.replyTo.tell({ ok: true, vms: [4], params: paramsOf(store.snapshot()) });
  });
  const other = { path: 'other', tell: () => true };
  const settings = new Settings(store, router, other, other);
  // The verb uses no other port.
  const deps = { system: kit.system, router, store, settings } as unknown as AdminDeps;
  const reply = await vmHandlers(deps)['scale']?.({ vms: 3 });
  expect([reply, told]).toEqual([{ vms: [4] }, [{ kind: 'scale', minimum: 3 }]]);
});
