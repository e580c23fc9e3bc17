import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble } from './bpf.ts';
import { type ArgumentRule, seccompFilter, type Verdict } from './seccomp-filter.ts';
import { runBpf, seccompData } from './testing/bpf-machine.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (code: number): number => 0x00050000 + code;

const returned = (verdict: Verdict): number =>
  verdict === 'allow' ? ALLOW : verdict === 'kill' ? KILL : errno(verdict.errno);

const verdicts = fc.oneof(
  fc.constantFrom<Verdict>('allow', 'kill'),
  fc.record({ errno: fc.integer({ min: 1, max: 133 }) }),
);
const others = fc.oneof(fc.constant('kill' as const), fc.record({ errno: fc.integer({ min: 1, max: 133 }) }));

describe('a seccomp filter', () => {
  it('gives each system call its verdict, and all others theirs', () => {
    const rules = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 460 }), verdicts), { selector: ([call]) => call });
    fc.assert(
      fc.property(rules, others, (pairs, rest) => {
        const map = new Map(pairs);
        const filter = seccompFilter(map, rest);
        for (let call = 0; call < 470; call++) {
          expect(runBpf(filter, seccompData(call))).toBe(returned(map.get(call) ?? rest));
        }
      }),
    );
  });

  it('kills calls of another architecture and of the x32 ABI, whatever their numbers mean here', () => {
    const filter = seccompFilter(new Map([[0, 'allow' as const]]), { errno: 38 });
    const I386 = 0x40000003;
    expect(runBpf(filter, seccompData(0))).toBe(ALLOW);
    expect(runBpf(filter, seccompData(0, [], I386))).toBe(KILL);
    expect(runBpf(filter, seccompData(0x40000000))).toBe(KILL);
    expect(runBpf(filter, seccompData(0xffffffff))).toBe(KILL);
  });

  const CALL = 16;
  const judged = (rule: ArgumentRule, value: bigint): number => {
    const args = Array.from({ length: 6 }, (_, index) => (index === rule.argument ? value : 0x77n));
    return runBpf(seccompFilter(new Map([[CALL, rule]]), 'kill'), seccompData(CALL, args));
  };

  it('goes by the lower half of an argument', () => {
    const oneOf: ArgumentRule = { argument: 1, oneOf: [3, 0xfffffff0], otherwise: { errno: 1 } };
    expect([3n, 0xfffffff0n, 0x1_00000003n, 4n].map((value) => judged(oneOf, value))).toEqual([
      ...[ALLOW, ALLOW, ALLOW],
      errno(1),
    ]);
    const noneOf: ArgumentRule = { argument: 5, noneOf: [3, 4], otherwise: { errno: 2 } };
    expect([3n, 4n, 0x1_00000004n, 5n].map((value) => judged(noneOf, value))).toEqual([
      ...[errno(2), errno(2), errno(2)],
      ALLOW,
    ]);
  });

  it('asks for all of the bits of one mask, and for none of another', () => {
    const rule: ArgumentRule = { argument: 0, withBits: 0x10100, withoutBits: 0x80000001, otherwise: 'kill' };
    const given = [0x10100n, 0x10110n, 0x10000n, 0x100n, 0x10101n, 0x80010100n, 0n];
    expect(given.map((value) => judged(rule, value))).toEqual([ALLOW, ALLOW, KILL, KILL, KILL, KILL, KILL]);
  });
});

describe('the assembler', () => {
  it('refuses jumps that the machine could not make', () => {
    const far = Array.from({ length: 256 }, () => ({ ret: 0 }));
    expect(() => assemble([{ jump: 'eq', value: 1, yes: 'end' }, ...far, { label: 'end' }, { ret: 1 }])).toThrow('end');
    expect(() => assemble([{ label: 'start' }, { jump: 'eq', value: 1, yes: 'start' }])).toThrow('start');
    expect(() => assemble([{ jump: 'eq', value: 1, yes: 'nowhere' }])).toThrow('nowhere');
    expect(() => assemble([{ label: 'a' }, { label: 'a' }, { ret: 0 }])).toThrow('twice');
  });
});
