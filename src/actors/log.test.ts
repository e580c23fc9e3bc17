import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ErrorEnvelope } from '../errors.ts';
import { testKit } from './kit/mod.ts';
import { type Behaviour, createSystem, type Logger } from './mod.ts';

interface Log extends Logger {
  /** What was logged, by level. */
  readonly lines: string[];
  readonly errors: ErrorEnvelope[];
}

function log(): Log {
  const lines: string[] = [];
  const errors: ErrorEnvelope[] = [];
  return {
    lines,
    errors,
    warn: (line) => void lines.push(`warn: ${line}`),
    error: (line, { error }) => {
      lines.push(`error: ${line}`);
      if (error !== undefined) errors.push(error);
    },
  };
}

const failing: Behaviour<string> = () => (message) => {
  throw new RangeError(message);
};

describe('a system without hooks', () => {
  it('prints each crash, with the stack of its error and of the causes, and each dead letter', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => print.mockRestore());
    const system = createSystem();
    const ref = system.spawn<string>(
      () =>
        function handle(message) {
          throw new Error('second', { cause: new RangeError(message) });
        },
      { name: 'one' },
    );
    ref.tell('first');
    await system.ended(ref);
    ref.tell('late');
    await system.shutdown();
    const printed = print.mock.calls.map(([line]) => String(line));
    expect(printed).toHaveLength(2);
    const [crash = '', cause = ''] = printed[0]?.split('\n  caused by ') ?? [];
    expect(crash).toMatch(/^actor \/one failed: Error: second\n +at .*handle \(.*log\.test\.ts/);
    expect(cause).toMatch(/^RangeError: first\n +at .*handle \(.*log\.test\.ts/);
    expect(printed[1]).toBe('dead letter from - to /one (stopped): late');
  });

  it('does not show the stack of a failure again when the parents of the actor fail with it', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => print.mockRestore());
    const system = createSystem();
    const parent = system.spawn<string>(
      (context) => {
        const child = context.spawn(failing, { name: 'child' });
        return (message) => void child.tell(message);
      },
      { name: 'parent' },
    );
    parent.tell('no');
    await system.ended(parent);
    await system.shutdown();
    const printed = print.mock.calls.map(([line]) => String(line));
    expect(printed).toEqual([
      expect.stringMatching(/^actor \/parent\/child failed: RangeError: no\n +at /),
      'actor /parent failed: ShoalError: child /parent/child failed: no [ACTOR_CHILD_FAILED]',
    ]);
  });
});

describe('a logger', () => {
  it('takes failures and dead letters in place of standard error, with the envelope', async () => {
    const logger = log();
    const system = createSystem({ logger });
    const ref = system.spawn(failing, { name: 'one' });
    ref.tell('no');
    await system.ended(ref);
    ref.tell('late');
    await system.shutdown();
    expect(logger.lines).toEqual([
      'error: actor /one failed: RangeError: no',
      'warn: dead letter from - to /one (stopped): late',
    ]);
    expect(logger.errors).toEqual([
      { name: 'RangeError', message: 'no', details: {}, stack: expect.stringContaining('log.test.ts') },
    ]);
  });

  it('is not told of what a hook takes', async () => {
    const logger = log();
    const failures: string[] = [];
    await using kit = testKit({ logger, onFailure: (path) => failures.push(path), onDeadLetter: () => undefined });
    const ref = kit.system.spawn(failing, { name: 'one' });
    ref.tell('no');
    await kit.settle();
    ref.tell('late');
    expect(failures).toEqual(['/one']);
    expect(logger.lines).toEqual([]);
  });

  it('gets ten lines of a kind in five seconds, and then the count of the others', async () => {
    const logger = log();
    await using kit = testKit({ logger });
    const ref = kit.system.spawn<number>((context) => () => context.exit(), { name: 'gone' });
    ref.tell(0);
    await kit.settle();
    for (let n = 0; n < 12; n++) ref.tell(n);
    await kit.advance(4_999);
    expect(logger.lines).toHaveLength(10);
    ref.tell(12);
    await kit.advance(1);
    expect(logger.lines.slice(10)).toEqual(['warn: 3 more dead letters are not listed']);
    ref.tell(13);
    expect(logger.lines.at(-1)).toBe('warn: dead letter from - to /gone (stopped): 13');
  });

  it('is told at the shutdown how many were left out, and the failures apart from the letters', async () => {
    const logger = log();
    const system = createSystem({ logger });
    const gone = system.spawn<number>(() => () => undefined);
    await system.stop(gone);
    for (let n = 0; n < 11; n++) gone.tell(n);
    const ref = system.spawn(failing);
    ref.tell('still listed');
    await system.ended(ref);
    await system.shutdown();
    expect(logger.lines.slice(10)).toEqual([
      `error: actor ${ref.path} failed: RangeError: still listed`,
      'warn: 1 more dead letters are not listed',
    ]);
  });

  it('may throw, or make dead letters itself, and ends nobody', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    let letters = 0;
    const system = createSystem({
      logger: {
        warn: () => {
          letters += 1;
          gone.tell('again');
          throw new Error('the log is full');
        },
        error: () => undefined,
      },
    });
    const gone = system.spawn<string>(() => () => undefined);
    await system.stop(gone);
    gone.tell('first');
    expect((await warned).message).toBe('the log is full');
    // It is not told of its own.
    expect(letters).toBe(1);
    await system.shutdown();
  });

  it('sees of a large or thorny message only a part', async () => {
    const logger = log();
    const system = createSystem({ logger });
    const gone = system.spawn<unknown>(() => () => undefined, { name: 'gone' });
    await system.stop(gone);
    gone.tell({ rows: new Array(100_000).fill('row'), deep: { deeper: { deepest: 1 } } });
    const thorny = Object.defineProperty({}, Symbol.toStringTag, {
      get: () => {
        throw new Error('a thorn');
      },
    });
    gone.tell(thorny);
    await system.shutdown();
    expect(Math.max(...logger.lines.map((line) => line.length))).toBeLessThan(300);
    expect(logger.lines).toHaveLength(2);
  });
});
