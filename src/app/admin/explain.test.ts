import { expect, onTestFinished, test } from 'vitest';
import { ManualClock, testKit } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import type { RequestRecord, RouterMessage } from '../../fleet/mod.ts';
import { openMemoryStore } from '../../store/mod.ts';
import { EventLog } from '../event-log.ts';
import { Settings } from '../settings.ts';
import type { AdminDeps } from './deps.ts';
import { explainHandlers, sinceText } from './explain.ts';

test('a request that was repeated without an end is explained by its latest steps, which fit into a reply', async () => {
  await using kit = testKit();
  const store = await openMemoryStore({ clock: systemClock });
  onTestFinished(() => store.close());
  const router = kit.system.spawn<RouterMessage>(() => (message) => {
    if (message.kind === 'explain-request') message.replyTo.tell(null);
  });
  const eventLog = new EventLog(new ManualClock());
  for (let atMs = 1; atMs <= 600; atMs++) {
    eventLog.explanations.seeStep({ atMs, kind: 'routed', requestId: 'mine', text: 'it waits' });
  }
  const other = { path: 'other', tell: () => true };
  const settings = new Settings(store, router, other, other);
  // The verb uses no other port.
  const deps = { system: kit.system, router, settings, eventLog } as unknown as AdminDeps;
  const reply = (await explainHandlers(deps)['explain-request']?.({ id: 'mine' })) as { steps: RequestRecord[] };
  expect(reply.steps.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 500 }, (_, index) => index + 101));
});

const EVENING_MS = Date.UTC(2026, 10, 28, 19, 19, 21, 640);

test('the time of what is kept is told as the events tell it, with the day only if it is another one', () => {
  expect(sinceText(EVENING_MS, EVENING_MS + 60_000)).toBe('the oldest of 19:19:21.640');
  expect(sinceText(EVENING_MS, EVENING_MS + 86_400_000)).toBe('the oldest of 2026-11-28 19:19:21.640');
  expect(sinceText(undefined, EVENING_MS)).toBe('of which there are none yet');
});
