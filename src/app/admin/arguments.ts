import { ShoalError } from '../../errors.ts';
import { isRecord } from '../../is-record.ts';

const BASE_64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The arguments of a verb. Anybody who may publish to its subject can send them, so each one is checked. */
export class Arguments {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(args: unknown) {
    this.#fields = isRecord(args) ? { ...args } : {};
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  /** @throws NATS_MESSAGE_INVALID */
  whole(name: string, { min, max }: { readonly min: number; readonly max: number }): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw invalid(name, `a whole number from ${min} to ${max}`, value);
  }

  vm(): number {
    return this.whole('vm', { min: 1, max: Number.MAX_SAFE_INTEGER });
  }

  flag(name: string): boolean {
    const value = this.#fields[name];
    if (value === undefined || typeof value === 'boolean') return value === true;
    throw invalid(name, 'true or false', value);
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value === 'string' && value.length <= 1_000) return value;
    throw invalid(name, 'a text', value);
  }

  /** Bytes, in base 64. */
  bytes(name: string): Uint8Array {
    const value = this.#fields[name];
    if (typeof value === 'string' && value !== '' && BASE_64.test(value)) return Buffer.from(value, 'base64');
    throw invalid(name, 'bytes in base 64', value);
  }

  /** Numbers, or texts of numbers, by name. */
  values(name: string): Record<string, number | string> {
    const value = this.#fields[name];
    if (!isRecord(value)) throw invalid(name, 'names with values', value);
    const entries = Object.entries(value).map(([key, figure]) => {
      if (typeof figure === 'number' || typeof figure === 'string') return [key, figure] as const;
      throw invalid(`${name}.${key}`, 'a figure', figure);
    });
    return Object.fromEntries(entries);
  }
}

function invalid(name: string, expected: string, value: unknown): ShoalError {
  const shown = JSON.stringify(value)?.slice(0, 100);
  return new ShoalError('NATS_MESSAGE_INVALID', `Expected ${name} to be ${expected}, got ${shown}`);
}
