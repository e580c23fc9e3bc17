import { parseArgs } from 'node:util';
import { codeOf, ShoalError } from '../errors.ts';
import type { Command, FlagConfig, Flags, Invocation } from './command.ts';

/** @throws USAGE saying what is wrong and where the help is */
export function parse(command: Command, args: readonly string[]): Invocation {
  const { values, positionals } = parsed(command, args);
  if (positionals.length > command.wordsMax) {
    const extra = positionals[command.wordsMax] ?? '';
    throw usage(command, `unexpected argument ${JSON.stringify(extra)}`);
  }
  return { flags: flagsOf(command, values), words: positionals };
}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

function parsed(command: Command, args: readonly string[]): { values: Values; positionals: string[] } {
  const options: FlagConfig = { help: { type: 'boolean', short: 'h' } };
  for (const { name, short, value, multiple } of command.flags) {
    const type = value === undefined ? 'boolean' : 'string';
    options[name] = { type, ...(short === undefined ? {} : { short }), ...(multiple === true ? { multiple } : {}) };
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (codeOf(error)?.startsWith('ERR_PARSE_ARGS') !== true || !(error instanceof Error)) throw error;
    throw usage(command, problemOf(error.message));
  }
}

/** Node adds its own advice after the first sentence or line; ours is in the help. */
function problemOf(message: string): string {
  const ambiguous = /^Option '[^']*?(--?[\w-]+)[^']*' argument is ambiguous/.exec(message)?.[1];
  if (ambiguous !== undefined)
    return `${ambiguous} has no value; one that begins with a dash is written ${ambiguous}=VALUE`;
  const dashed = /^Unknown option '(-\d[^']*)'/.exec(message)?.[1];
  if (dashed !== undefined) return `no flag and no value that could be meant is ${JSON.stringify(dashed)}`;
  return message.split(/\. |\n/)[0] ?? message;
}

/** What a number counts, by the word that the help has for the flag's value. */
const UNITS: Readonly<Record<string, string>> = {
  MS: ' of milliseconds',
  S: ' of seconds',
  SECONDS: ' of seconds',
  BYTES: ' of bytes',
};

function flagsOf(command: Command, values: Values): Flags {
  // An empty path, as of a shell's variable that is not set, would be the current directory.
  const isPath = (name: string): boolean =>
    command.flags.some((flag) => flag.name === name && (flag.value === 'DIR' || flag.value === 'FILE'));
  const text = (name: string): string | undefined => {
    const value = values[name];
    if (value === '' && isPath(name)) throw usage(command, `expected --${name} to name a path, got an empty text`);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    list(name) {
      const value = values[name];
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
    },
    has: (name) => values[name] === true,
    whole(name, { min, max }) {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (number >= min && number <= max) return number;
      const unit = UNITS[command.flags.find((flag) => flag.name === name)?.value ?? ''] ?? '';
      throw usage(
        command,
        `expected --${name} to be a whole number${unit} from ${min} to ${max}, got ${JSON.stringify(value)}`,
      );
    },
    oneOf(name, allowed) {
      const value = text(name);
      if (value === undefined) return undefined;
      const found = allowed.find((item) => item === value);
      if (found !== undefined) return found;
      throw usage(command, `expected --${name} to be ${allowed.join(' or ')}, got ${JSON.stringify(value)}`);
    },
  };
}

export function usage(command: Pick<Command, 'name'>, problem: string): ShoalError {
  return new ShoalError('USAGE', `${problem}; \`shoal ${command.name} --help\` shows what it takes`);
}
