import { expect, it, onTestFinished, vi } from 'vitest';
import { createSystem } from '../actors/mod.ts';
import { EventLog } from './event-log.ts';
import { EventLogger } from './event-logger.ts';

it('makes failures and dead letters warnings, once each and without stacks; the terminal sees nothing', async () => {
  const printed = vi.spyOn(console, 'error');
  onTestFinished(() => printed.mockRestore());
  const eventLog = new EventLog();
  const logger = new EventLogger(eventLog);
  const system = createSystem({ logger });
  const ref = system.spawn<string>(
    () => () => {
      throw new Error('cannot');
    },
    { name: 'part' },
  );
  ref.tell('go');
  await system.ended(ref);
  ref.tell('late');
  logger.end();
  ref.tell('expected, now that all ends');
  await system.shutdown();
  expect(eventLog.latest(10)).toEqual([
    {
      atMs: expect.any(Number),
      kind: 'warning',
      text: 'actor /part failed: Error: cannot',
      error: { name: 'Error', code: 'INTERNAL', message: 'cannot', details: {} },
    },
    { atMs: expect.any(Number), kind: 'warning', text: 'dead letter from - to /part (stopped): late' },
  ]);
  expect(printed).not.toHaveBeenCalled();
});
