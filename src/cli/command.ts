import type { ParseArgsConfig } from 'node:util';

export type FlagConfig = NonNullable<ParseArgsConfig['options']>;

/** The flags and words of one call, checked against what the command takes. */
export interface Invocation {
  readonly flags: Flags;
  readonly words: readonly string[];
}

export interface Flags {
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  has(name: string): boolean;
  /** @throws USAGE naming flag and value */
  whole(name: string, range: { readonly min: number; readonly max: number }): number | undefined;
  /** @throws USAGE naming flag, value and what is allowed */
  oneOf<const T extends string>(name: string, allowed: readonly T[]): T | undefined;
}

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value in the help. A flag without one is a switch. */
  readonly value?: string;
  /** All allowed values, for completion. */
  readonly choices?: readonly string[];
  readonly multiple?: boolean;
  readonly about: string;
}

/** One command. Each has a file of its own. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The words after the name, such as `[TEXT]`. */
  readonly words: string;
  readonly wordsMax: number;
  readonly flags: readonly Flag[];
  /** Calls that work as written, each with its effect. */
  readonly examples: readonly (readonly [call: string, about: string])[];
  /** The command goes on and succeeds even if its output cannot be written: its work matters more. */
  readonly outlivesOutput?: true;
  /** @returns the exit code: 0 success, 1 failure, 2 wrong usage */
  run(input: Invocation): Promise<number>;
}

export const DATA_FLAG: Flag = {
  name: 'data',
  value: 'DIR',
  about: 'data directory (default: $SHOAL_DATA, else ~/.local/state/shoal)',
};
export const FLEET_FLAG: Flag = { name: 'fleet', value: 'NAME', about: 'name of the fleet (default: default)' };
export const NATS_FLAG: Flag = {
  name: 'nats',
  value: 'URL',
  about: 'NATS server, instead of looking in the data directory',
};
/** For commands that concern all hosts of a fleet, or one. */
export const HOST_FLAG: Flag = {
  name: 'host',
  value: 'NAME',
  about: 'only this host of the fleet (default: all of them)',
};
export const OUTPUT_FLAG: Flag = {
  name: 'output',
  short: 'o',
  value: 'FORMAT',
  choices: ['table', 'json'],
  about: 'table or json (default: table)',
};
/** For commands that take an image. */
export const PROFILE_FLAGS: readonly Flag[] = [
  {
    name: 'profile',
    value: 'NAME|FILE',
    about: "the image's profile: built-in, includeos, linux, or a file (default: that beside the image)",
  },
  {
    name: 'profile-set',
    value: 'FIELD=VALUE',
    multiple: true,
    about: 'a field that overrides the profile, such as memoryMib=32; may be repeated',
  },
];
export const NETWORK_FLAG: Flag = {
  name: 'network',
  value: 'NAME',
  choices: ['user', 'none'],
  about: 'user: a VM listens at its address; none: it has no network card, and a port for its link (default: user)',
};
export const QEMU_FLAG: Flag = {
  name: 'qemu',
  value: 'auto|PATH',
  about:
    'the QEMU of new VMs; auto: the small build where KVM and no network allow it, else the full one (default: auto)',
};
/** How a command finds its fleet. */
export const FIND_FLAGS: readonly Flag[] = [DATA_FLAG, NATS_FLAG, FLEET_FLAG];
