import { assemble, type BpfLine } from './bpf.ts';

/** What becomes of a system call: it is made, it fails with that `errno`, or the process is killed with SIGSYS. */
export type Verdict = 'allow' | 'kill' | { readonly errno: number };

/** A verdict that hangs on the lower half of one argument. The kernel takes no more of an `int` either. */
export interface ArgumentRule {
  /** From 0 to 5. */
  readonly argument: number;
  /** Allowed if it is one of these, if given. */
  readonly oneOf?: readonly number[];
  /** Allowed unless it is one of these. */
  readonly noneOf?: readonly number[];
  /** Allowed only if all of these bits are set, if given. */
  readonly withBits?: number;
  /** Allowed only if none of these bits is set. */
  readonly withoutBits?: number;
  /** What becomes of the others. */
  readonly otherwise: Exclude<Verdict, 'allow'>;
}

export type SeccompRules = ReadonlyMap<number, Verdict | ArgumentRule>;

/** `linux/seccomp.h`. */
const RET_KILL_PROCESS = 0x80000000;
const RET_ERRNO = 0x00050000;
const RET_ALLOW = 0x7fff0000;
/** `struct seccomp_data`: the call's number, the architecture, the instruction's address, the arguments. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const ARGUMENTS_AT = 16;
const ARGUMENT_BYTES = 8;
/** AUDIT_ARCH_X86_64. */
const X86_64 = 0xc000003e;
/** Calls of the x32 ABI have this bit set, and would pass a filter by the numbers of the usual one. */
const X32_BIT = 0x40000000;

/**
 * Compiles a seccomp filter for x86-64.
 * @param rules by the numbers of system calls @param others what becomes of all that have no rule
 */
export function seccompFilter(rules: SeccompRules, others: Exclude<Verdict, 'allow'>): Buffer {
  const byArgument = [...rules].flatMap(([call, rule]) => (isByArgument(rule) ? [{ call, rule }] : []));
  return assemble([
    { load: ARCHITECTURE_AT },
    { jump: 'eq', value: X86_64, no: 'foreign' },
    { load: NUMBER_AT },
    { jump: 'ge', value: X32_BIT, no: 'known' },
    { label: 'foreign' },
    { ret: RET_KILL_PROCESS },
    { label: 'known' },
    ...byArgument.flatMap(({ call, rule }): readonly BpfLine[] => [
      { jump: 'eq', value: call, no: `not-${call}` },
      ...argumentLines(call, rule),
      { label: `not-${call}` },
    ]),
    ...searchLines(rangesOf(rules, others)),
  ]);
}

function isByArgument(rule: Verdict | ArgumentRule): rule is ArgumentRule {
  return typeof rule === 'object' && 'argument' in rule;
}

function returned(verdict: Verdict): number {
  if (verdict === 'allow') return RET_ALLOW;
  return verdict === 'kill' ? RET_KILL_PROCESS : RET_ERRNO | verdict.errno;
}

function argumentLines(call: number, rule: ArgumentRule): readonly BpfLine[] {
  const allow = `allow-${call}`;
  const refuse = `refuse-${call}`;
  const { oneOf, noneOf = [], withBits = 0, withoutBits = 0 } = rule;
  return [
    { load: ARGUMENTS_AT + rule.argument * ARGUMENT_BYTES },
    ...noneOf.map((value): BpfLine => ({ jump: 'eq', value, yes: refuse })),
    ...(withoutBits === 0 ? [] : [{ jump: 'set', value: withoutBits, yes: refuse } as const]),
    ...bitsOf(withBits).map((value): BpfLine => ({ jump: 'set', value, no: refuse })),
    ...(oneOf ?? []).map((value): BpfLine => ({ jump: 'eq', value, yes: allow })),
    ...(oneOf === undefined ? [] : [{ ret: returned(rule.otherwise) }]),
    { label: allow },
    { ret: RET_ALLOW },
    { label: refuse },
    { ret: returned(rule.otherwise) },
  ];
}

function bitsOf(mask: number): readonly number[] {
  return Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0).filter((bit) => (mask & bit) !== 0);
}

/** From this number on, up to the next range. */
interface Range {
  readonly from: number;
  readonly value: number;
}

function rangesOf(rules: SeccompRules, others: Verdict): readonly Range[] {
  const rest = returned(others);
  const ranges: Range[] = [{ from: 0, value: rest }];
  const add = (from: number, value: number): void => {
    if (ranges.at(-1)?.from === from) ranges.pop();
    if (ranges.at(-1)?.value !== value) ranges.push({ from, value });
  };
  for (const [call, rule] of [...rules].sort(([a], [b]) => a - b)) {
    if (isByArgument(rule)) continue;
    add(call, returned(rule));
    add(call + 1, rest);
  }
  return ranges;
}

/** A binary search: a system call is compared some seven times. */
function searchLines(ranges: readonly Range[]): readonly BpfLine[] {
  const [first] = ranges;
  if (first === undefined) return [];
  if (ranges.length === 1) return [{ ret: first.value }];
  const middle = Math.ceil(ranges.length / 2);
  const upper = ranges.slice(middle);
  const from = upper[0]?.from ?? 0;
  const label = `from-${from}`;
  return [
    { jump: 'ge', value: from, yes: label },
    ...searchLines(ranges.slice(0, middle)),
    { label },
    ...searchLines(upper),
  ];
}
