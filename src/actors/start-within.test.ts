import { describe, expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import type { Behaviour, Exit } from './mod.ts';

const never: Behaviour<string> = () => new Promise(() => undefined);

describe('startTimeoutMs', () => {
  it('ends an actor that has not set itself up in time', async () => {
    await using kit = testKit();
    const started = kit.system.start(never, { name: 'slow', startTimeoutMs: 100 }).catch((error: Error) => error);
    await kit.advance(99);
    expect(kit.system.tree().children).toHaveLength(1);
    await kit.advance(1);
    expect(await started).toMatchObject({
      code: 'ACTOR_START_TIMEOUT',
      message: '/slow did not start within 100 ms',
      details: { timeoutMs: 100 },
    });
    expect(kit.system.tree().children).toEqual([]);
  });

  it('leaves one alone that is in time, and sets no timer for one that starts at once', async () => {
    await using kit = testKit();
    const soon: Behaviour<string> = (context) =>
      new Promise((resolve) => {
        context.clock.timer(50, () => resolve(() => undefined));
      });
    kit.system.spawn<string>(() => () => undefined, { startTimeoutMs: 100 });
    expect(kit.clock.pending).toBe(0);
    const started = kit.system.start(soon, { startTimeoutMs: 100 });
    await kit.advance(50);
    await started;
    expect(kit.clock.pending).toBe(0);
    await kit.advance(100);
    expect(kit.system.tree().children).toHaveLength(2);
  });

  it('passes on the error of a start that fails', async () => {
    await using kit = testKit();
    const fails: Behaviour<string> = () => Promise.reject(new Error('refused'));
    const started = kit.system.start(fails, { startTimeoutMs: 100 });
    await expect(started).rejects.toThrow('refused');
    expect(kit.clock.pending).toBe(0);
  });

  it('lets the actor be restarted while the old start still runs, and releases what that acquires', async () => {
    await using kit = testKit();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    let starts = 0;
    const slowAtFirst: Behaviour<string> = async (context) => {
      if (++starts === 1) {
        await gate.promise;
        log.push(`aborted ${context.signal.aborted}`);
        context.onStop(() => void log.push('released'));
      }
      return (message) => void log.push(message);
    };
    type Message = { readonly ended: Exit };
    const parent = kit.system.spawn<Message>((context) => {
      const child = context.spawn(slowAtFirst, { startTimeoutMs: 100 });
      context.watch(child, (ended) => ({ ended }));
      return async ({ ended }) => {
        if (ended.reason.kind === 'error') log.push(String(ended.reason.error.code));
        await context.restart(child);
        child.tell('works');
      };
    });
    await kit.advance(100);
    gate.resolve();
    await kit.settle();
    expect(log).toEqual(['ACTOR_START_TIMEOUT', 'works', 'aborted true', 'released']);
    expect(kit.system.tree().children).toMatchObject([{ path: parent.path, children: [{ state: 'running' }] }]);
  });

  it.each([0, -1, Number.NaN])('refuses %s', async (startTimeoutMs) => {
    await using kit = testKit();
    expect(() => kit.system.spawn(never, { startTimeoutMs })).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining('startTimeoutMs') }),
    );
    expect(kit.system.tree().children).toEqual([]);
  });

  it('leaves an actor what its behaviour says of its stop and its failures', async () => {
    await using kit = testKit();
    const seen: string[] = [];
    const behaviour: Behaviour<string> = Object.assign(
      () => (message: string) => {
        seen.push(message);
        if (message === 'fail') throw new Error('to be resumed');
        return new Promise<void>(() => undefined);
      },
      { stopTimeoutMs: 5, resumes: () => true },
    );
    const ref = kit.system.spawn(behaviour, { startTimeoutMs: 100 });
    for (const message of ['fail', 'hang']) ref.tell(message);
    await kit.settle();
    expect(seen).toEqual(['fail', 'hang']);
    void kit.system.stop(ref);
    await kit.advance(5);
    expect(kit.system.tree().children).toEqual([]);
  });
});
