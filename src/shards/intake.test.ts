import { describe, expect, it } from 'vitest';
import { Intake } from './intake.ts';
import { Marks } from './marks.ts';
import { OP, type Op } from './wire.ts';

function message(n: number): unknown[] {
  return [1, n, undefined, false];
}

function op(what: Op): unknown[] {
  return [OP, what, undefined, false];
}

/** What has come, in order: numbers are messages. */
function intakeHere(mayTake = () => true): { intake: Intake; came: unknown[]; other: Marks } {
  const came: unknown[] = [];
  const other = new Marks();
  const intake: Intake = new Intake({
    deliver: (_, sent) => came.push(sent),
    obey: (what) => {
      came.push(what.op);
      if (what.op === 'mark') intake.marks.set(what.n);
    },
    onTaken: () => undefined,
    mayTake,
    onMayTake: () => () => undefined,
    waitFor: (what) => (what.op === 'after' ? other.reached(what.n) : undefined),
  });
  return { intake, came, other };
}

const AFTER: Op = { op: 'after', thread: 'main', n: 1 };

describe('what comes through a channel', () => {
  it('waits for the mark of another one, and is then taken in order', async () => {
    const { intake, came, other } = intakeHere();
    intake.receive([...message(1), ...op(AFTER), ...message(2)]);
    intake.receive([...message(3), ...op({ op: 'ack', count: 1 })]);
    // Whoever waits for room is told meanwhile.
    expect(came).toEqual([1, 'ack']);
    other.set(1);
    await new Promise(setImmediate);
    intake.receive(message(4));
    expect(came).toEqual([1, 'ack', 'after', 2, 3, 4]);
  });

  it('waits no longer for a channel that is cut', async () => {
    const { intake, came, other } = intakeHere();
    intake.receive([...op(AFTER), ...message(1)]);
    other.close();
    await new Promise(setImmediate);
    expect(came).toEqual(['after', 1]);
  });

  it('is taken although there is no room, if another channel waits for it', async () => {
    const { intake, came } = intakeHere(() => false);
    intake.receive([...message(1), ...op({ op: 'mark', n: 1 })]);
    intake.receive(message(2));
    await new Promise(setImmediate);
    expect(came).toEqual([]);
    await intake.marks.reached(1);
    await new Promise(setImmediate);
    expect(came).toEqual([1, 'mark']);
  });
});
