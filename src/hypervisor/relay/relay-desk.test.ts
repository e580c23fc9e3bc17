import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../actors/mod.ts';
import type { Relay } from '../../fleet/mod.ts';
import { RelayDesk } from './relay-desk.ts';

const SECRET = new Uint8Array(16).fill(7);
const START: Relay = {
  command: { kind: 'start', vm: 7 },
  address: { id: 2, ip: '127.0.10.2', port: 9_000 },
  through: 3,
};

function bench(secret = SECRET) {
  const clock = { nowMs: 0 };
  // The desk asks for nothing else of a clock.
  const time = { monotonic: () => clock.nowMs } as ConstructorParameters<typeof RelayDesk>[1];
  return { clock, desk: new RelayDesk(secret, time, systemRandom) };
}

function refusal(desk: RelayDesk, vm: number, line: string): string {
  const judged = desk.judge({ vm, line });
  return judged.ok ? 'obeyed' : judged.refusal;
}

describe('relayed commands', () => {
  it('a command that comes back in time is obeyed, once', () => {
    const { desk } = bench();
    const { line } = desk.issue(START, 200);
    expect(line).toMatch(
      /^start vm=7 addr=127\.0\.10\.2:9000 through=3 router=[0-9a-f]{16} number=1 mac=[0-9a-f]{32}$/,
    );
    expect(desk.judge({ vm: 3, line })).toEqual({ ok: true, command: START.command });
    expect(refusal(desk, 3, line)).toBe('replayed');
    expect(desk.withdraw(1)).toBeUndefined();
  });

  it('a late one is not obeyed, and can still be withdrawn to go direct', () => {
    const { desk, clock } = bench();
    const { line, number } = desk.issue(START, 200);
    clock.nowMs = 201;
    expect(refusal(desk, 3, line)).toBe('late');
    expect(desk.withdraw(number)).toMatchObject(START);
    clock.nowMs = 0;
    expect(refusal(desk, 3, line)).toBe('late');
  });

  it('one of a VM that is told otherwise, or of a router that has ended, is late', () => {
    const { desk } = bench();
    const first = desk.issue(START, 200);
    desk.withdrawAllOf(7);
    expect(refusal(desk, 3, first.line)).toBe('late');
    const second = desk.issue(START, 200);
    desk.begin();
    expect(refusal(desk, 3, second.line)).toBe('late');
  });

  it('one of an earlier Shoal is late, though it has the number of one that is on its way', () => {
    const { line } = bench().desk.issue(START, 200);
    const { desk } = bench();
    const own = desk.issue(START, 200);
    expect(desk.judge({ vm: 3, line })).toMatchObject({ refusal: 'late', why: 'the router that made it has ended' });
    expect(refusal(desk, 3, own.line)).toBe('obeyed');
  });

  it('one is still good when those of another VM are withdrawn, and up to its last moment', () => {
    const { desk, clock } = bench();
    const { line } = desk.issue(START, 200);
    desk.withdrawAllOf(8);
    clock.nowMs = 200;
    expect(refusal(desk, 3, line)).toBe('obeyed');
  });

  it('one that is over and was changed is told apart from one that was never made', () => {
    const { desk } = bench();
    const { line } = desk.issue(START, 200);
    desk.judge({ vm: 3, line });
    const changed = `${line.slice(0, -1)}${line.endsWith('0') ? '1' : '0'}`;
    expect(refusal(desk, 3, changed)).toBe('changed');
    expect(refusal(desk, 3, changed.replace('number=1', 'number=9'))).toBe('forged');
  });

  it('one that was obeyed is known for as long as no 1024 others are over', () => {
    const { desk } = bench();
    const lines = Array.from({ length: 1_025 }, () => desk.issue(START, 200).line);
    for (const line of lines) expect(refusal(desk, 3, line)).toBe('obeyed');
    expect(lines.slice(0, 2).map((line) => refusal(desk, 3, line))).toEqual(['late', 'replayed']);
  });

  it('one is signed with a key that is made of the secret, and not with the secret', () => {
    const [body = '', mac] = bench().desk.issue(START, 200).line.split(' mac=');
    expect(createHmac('sha256', SECRET).update(body).digest('hex').slice(0, 32)).not.toBe(mac);
  });

  it('one that another VM repeats is not obeyed, and is still good where it was sent', () => {
    const { desk } = bench();
    const { line } = desk.issue(START, 200);
    expect(refusal(desk, 4, line)).toBe('replayed');
    expect(refusal(desk, 3, line)).toBe('obeyed');
  });

  it('one that is signed with another key is forged', () => {
    const { line } = bench(new Uint8Array(16)).desk.issue(START, 200);
    expect(refusal(bench().desk, 3, line)).toBe('forged');
  });

  it('property: whatever character of a command is changed, it does nothing', () => {
    const { desk } = bench();
    const { line } = desk.issue(START, 200);
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = `${line.slice(0, at)}${String.fromCharCode(code)}${line.slice(at + 1)}`;
        fc.pre(changed !== line);
        expect(['forged', 'changed']).toContain(refusal(desk, 3, changed));
      }),
    );
    expect(refusal(desk, 3, line)).toBe('obeyed');
  });

  it('property: of any history, each command is obeyed at most once, in time, by its guest, and never after it was withdrawn', () => {
    const step = fc.record({
      what: fc.constantFrom('issue', 'print', 'withdraw', 'wait', 'begin'),
      which: fc.nat(5),
      vm: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { desk, clock } = bench();
        let made: { line: string; number: number; through: number; untilMs: number; isOpen: boolean }[] = [];
        for (const { what, which, vm } of steps) {
          const one = made[which];
          if (what === 'wait') clock.nowMs += 90;
          if (what === 'begin') {
            desk.begin();
            for (const each of made) each.isOpen = false;
          }
          if (what === 'issue') {
            const untilMs = clock.nowMs + 200;
            const issued = desk.issue({ ...START, through: vm }, untilMs);
            made = [{ ...issued, through: vm, untilMs, isOpen: true }, ...made].slice(0, 6);
          }
          if (one === undefined) continue;
          if (what === 'withdraw') {
            expect(desk.withdraw(one.number) !== undefined).toBe(one.isOpen);
            one.isOpen = false;
          }
          if (what === 'print') {
            const isGood = one.isOpen && one.through === vm && clock.nowMs <= one.untilMs;
            expect(desk.judge({ vm, line: one.line }).ok).toBe(isGood);
            if (isGood) one.isOpen = false;
          }
        }
      }),
    );
  });
});
