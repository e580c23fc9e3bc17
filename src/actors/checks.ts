import { inspect } from 'node:util';
import { ShoalError } from '../errors.ts';

/** What an option may be, for programs in JavaScript too, which pass anything. */
export interface Rule {
  readonly passes: (value: unknown) => boolean;
  /** Completes `Expected ... to be`. */
  readonly expected: string;
  readonly isRequired?: boolean;
}

/** The rules of all options of `O`, or it does not compile. */
export type Rules<O extends object> = Readonly<Record<keyof O & string, Rule>>;

export const MS_ABOVE_0 = numberRule('a number of milliseconds above 0', (ms) => ms > 0);
export const MS_FROM_0 = numberRule('a number of milliseconds from 0 up', (ms) => ms >= 0);
export const WHOLE_FROM_1 = numberRule(
  'a whole number from 1 up',
  (value) => Number.isSafeInteger(value) && value >= 1,
);
export const WHOLE_NUMBER = numberRule('a whole number', Number.isSafeInteger);
export const CAPACITY = numberRule('a whole number from 1 up, or Infinity', (count) => count >= 1 && isCount(count));
export const COUNT = numberRule('a whole number from 0 up, or Infinity', isCount);
export const FUNCTION = rule('a function', (value) => typeof value === 'function');
export const TEXT = rule('a text', (value) => typeof value === 'string');
export const PROMISE = rule('a promise', isThenable);
export const BOOLEAN = rule('true or false', (value) => typeof value === 'boolean');
export const ANYTHING = rule('anything', () => true);

/** One of these words. */
export function oneOf(...words: readonly string[]): Rule {
  const last = words.at(-1);
  return rule(`${words.slice(0, -1).join(', ')} or ${last}`, (value) => words.some((word) => word === value));
}

export function rule(expected: string, passes: (value: unknown) => boolean): Rule {
  return { expected, passes };
}

export function numberRule(expected: string, passes: (value: number) => boolean): Rule {
  // Texts compare like numbers.
  return { expected, passes: (value) => typeof value === 'number' && passes(value) };
}

export function required(optional: Rule): Rule {
  return { ...optional, isRequired: true };
}

/** An object that has these methods, perhaps among others. */
export function objectWith(...methods: readonly string[]): Rule {
  return rule(`an object with the methods ${methods.join(', ')}`, (value) => {
    if (typeof value !== 'object' || value === null) return false;
    // Whatever it is, it has properties.
    const has = value as Readonly<Record<string, unknown>>;
    return methods.every((name) => typeof has[name] === 'function');
  });
}

/**
 * Checks options before anything is made of them.
 * @param of whose options they are, such as `` `createSystem` ``
 * @throws CONFIG_VALUE, also for an option that there is not: a misspelt name would be passed over in silence
 */
export function checkOptions(of: string, options: unknown, rules: Readonly<Record<string, Rule>>): void {
  checkGiven(of, options, rules);
  // Whatever it is, it has properties.
  const given = options as Readonly<Record<string, unknown>>;
  for (const [option, one] of Object.entries(rules)) if (one.isRequired === true) checked(option, given[option], one);
}

/** Like `checkOptions`, for options of which none is required: costs nothing for those that are not there. */
export function checkGiven(of: string, options: unknown, rules: Readonly<Record<string, Rule>>): void {
  if (typeof options !== 'object' || options === null) {
    throw new ShoalError('CONFIG_VALUE', `Expected the options of ${of} to be an object, got ${shown(options)}`);
  }
  // As above.
  const given = options as Readonly<Record<string, unknown>>;
  for (const option in given) {
    const one = Object.hasOwn(rules, option) ? rules[option] : undefined;
    if (one === undefined) {
      const known = Object.keys(rules).join(', ');
      throw new ShoalError('CONFIG_VALUE', `Expected an option of ${of} to be one of ${known}, got \`${option}\``);
    }
    const value = given[option];
    if (value !== undefined) checked(option, value, one);
  }
}

/** @throws CONFIG_VALUE, naming the option, the value and what it may be */
export function checked<T>(option: string, value: T, { passes, expected }: Rule): T {
  if (passes(value)) return value;
  throw new ShoalError('CONFIG_VALUE', `Expected \`${option}\` to be ${expected}, got ${shown(value)}`);
}

const SHOWN_CHARS_MAX = 100;

/** A value as errors show it, with its type. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  const short = text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}...` : text;
  return `\`${short}\` (${value === null ? 'null' : typeof value})`;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function isCount(value: number): boolean {
  return value >= 0 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY);
}
