import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { systemRandom } from '../../actors/mod.ts';
import type { RelayedCommand } from '../../fleet/mod.ts';
import type { HostNotice } from '../notices.ts';
import { RelayDesk } from './relay-desk.ts';
import { RelayIntake } from './relay-intake.ts';

const STOP: RelayedCommand = { kind: 'stop', vm: 3, reason: 'idle', why: 'idle' };
const RELAY = { command: STOP, address: { id: 1, ip: '127.0.10.1', port: 9_000 }, through: 3 };

function intake(isRelaying = true) {
  const clock = new ManualClock();
  const desk = new RelayDesk(new Uint8Array(16), clock, systemRandom);
  const obeyed: unknown[] = [];
  const told: HostNotice[] = [];
  const one = new RelayIntake({
    desk: isRelaying ? desk : undefined,
    clock,
    obey: (command) => void obeyed.push(command),
    notices: { path: 'notices', tell: (notice) => told.push(notice) > 0 },
  });
  /** Lines that were refused: which VM's, and how many before it were not told. */
  const refusals = (): unknown[] =>
    told
      .splice(0)
      .map((notice) => (notice.kind === 'relay-refused' ? [notice.vm, notice.refusal, notice.more] : notice));
  return { clock, desk, obeyed, one, refusals };
}

describe('lines that guests relay', () => {
  it('are obeyed if they are sound', () => {
    const { one, desk, obeyed, refusals } = intake();
    one.take({ vm: 3, line: desk.issue(RELAY, 200).line });
    expect([obeyed, refusals()]).toEqual([[STOP], []]);
  });

  it('are all refused where nobody relays commands', () => {
    const { one, desk, obeyed, refusals } = intake(false);
    one.take({ vm: 3, line: desk.issue(RELAY, 200).line });
    expect([obeyed, refusals()]).toEqual([[], [[3, 'forged', 0]]]);
  });

  it('are told of once in ten seconds for each VM, with how many were not', async () => {
    const { one, clock, refusals } = intake();
    const say = (vm: number): void => one.take({ vm, line: 'start' });
    for (const vm of [1, 1, 1, 2]) say(vm);
    expect(refusals()).toEqual([
      [1, 'forged', 0],
      [2, 'forged', 0],
    ]);
    await clock.advance(9_999);
    say(1);
    expect(refusals()).toEqual([]);
    await clock.advance(1);
    say(1);
    expect(refusals()).toEqual([[1, 'forged', 3]]);
    await clock.advance(10_000);
    say(1);
    expect(refusals()).toEqual([[1, 'forged', 0]]);
  });

  it('of a VM that is gone are forgotten', () => {
    const { one, refusals } = intake();
    one.take({ vm: 1, line: 'start' });
    one.take({ vm: 1, line: 'start' });
    refusals();
    one.forget(1);
    one.take({ vm: 1, line: 'start' });
    expect(refusals()).toEqual([[1, 'forged', 0]]);
  });
});
