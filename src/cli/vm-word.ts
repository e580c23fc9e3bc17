import { isHostName } from '../transport/mod.ts';
import type { Command, Flags } from './command.ts';
import { usage } from './parse.ts';

/** A VM as it is named on the command line. */
export interface VmWord {
  /** Undefined if only a number was given, and no `--host`. */
  readonly host: string | undefined;
  readonly vm: number;
}

/** Parses the number of a VM where there is one host. @throws USAGE */
export function vmNumber(command: Command, word: string | undefined): number {
  if (word === undefined) throw usage(command, 'give the number of a VM; `shoal ps` lists them');
  if (/^[1-9]\d{0,14}$/.test(word)) return Number(word);
  throw usage(command, `expected the number of a VM (\`shoal ps\` lists them), got ${JSON.stringify(word)}`);
}

/** Parses `3` or `HOST/3`. @throws USAGE */
export function vmWord(command: Command, flags: Pick<Flags, 'text'>, word: string | undefined): VmWord {
  if (word === undefined) throw usage(command, 'give the number of a VM; `shoal ps` lists them');
  const [, named, number = ''] = /^(?:([^/]*)\/)?([^/]*)$/.exec(word) ?? [];
  const isVm = /^[1-9]\d{0,14}$/.test(number) && (named === undefined || isHostName(named));
  if (!isVm) {
    throw usage(
      command,
      `expected the number of a VM, or HOST/NUMBER (\`shoal ps\` lists them), got ${JSON.stringify(word)}`,
    );
  }
  const flag = flags.text('host');
  if (named !== undefined && flag !== undefined && named !== flag) {
    throw usage(command, `${JSON.stringify(word)} is on host ${named}, and --host names ${JSON.stringify(flag)}`);
  }
  return { host: named ?? flag, vm: Number(number) };
}
