import type { Chance } from './random.ts';

/** A line that a guest prints as a relayed command. */
export interface RelayedWord {
  readonly line: string;
  readonly afterMs: number;
  /** Another guest of the host prints it. */
  readonly isHandedOn: boolean;
}

/** What a guest does with a command that it is given to relay, if it is hostile. */
const TRICKS = [
  'changes',
  'withholds',
  'is late',
  'repeats',
  'keeps',
  'hands on',
  'repeats old',
  'forges',
  'is silent',
] as const;
/** A command is good for 200 ms. */
const LATE_MS = { least: 201, span: 500 } as const;
const KEPT_MS = { least: 300, span: 20_000 } as const;

/** @param old commands that guests of the host were given before, the last one last */
export function hostileWords(line: string, old: readonly string[], chance: Chance): readonly RelayedWord[] {
  const now = (one: string): RelayedWord => ({ line: one, afterMs: 0, isHandedOn: false });
  switch (chance.oneOf(TRICKS)) {
    case 'changes':
      return [now(changed(line, chance)), now(line), now(line)];
    case 'withholds':
      return [now(changed(line, chance))];
    case 'is late':
      return [{ ...now(line), afterMs: LATE_MS.least + chance.below(LATE_MS.span) }];
    case 'repeats':
      return [now(line), now(line)];
    case 'keeps':
      return [now(line), { ...now(line), afterMs: KEPT_MS.least + chance.below(KEPT_MS.span) }];
    case 'hands on':
      return [{ ...now(line), isHandedOn: true }];
    case 'repeats old':
      return [now(chance.oneOf(old) ?? changed(line, chance)), now(line)];
    case 'forges':
      return [now(line.replace(/mac=.*/, `mac=${Buffer.from(chance.bytes(16)).toString('hex')}`))];
    default:
      return [];
  }
}

function changed(line: string, chance: Chance): string {
  switch (chance.below(4)) {
    case 0:
      return line.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    case 1:
      return line.replace(/ vm=(\d+)/, (_, vm: string) => ` vm=${Number(vm) + 1}`);
    case 2:
      return line.replace(/^\w+/, (kind) => (kind === 'start' ? 'stop' : 'start'));
    default:
      return line.replace(/ number=(\d+)/, (_, number: string) => ` number=${Number(number) + 1}`);
  }
}
