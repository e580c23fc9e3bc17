import { isRecord } from '../../../is-record.ts';
import type { ConsoleProfile } from '../../profile/profile.ts';
import type { GuestFacts, LineFormat } from './line-format.ts';
import { kindOf, toldLine } from './told-line.ts';

type Profile = Extract<ConsoleProfile, { format: 'key=value' | 'json' }>;

const BRACE = 0x7b;

/** Lines that are one JSON object each. */
export function jsonFormat({ kind, names }: Profile, guest: GuestFacts): LineFormat {
  const mark = Buffer.from(`"${kind}"`);
  return {
    mayTell: (bytes, from, end) => bytes[from] === BRACE && bytes.subarray(from, end).includes(mark),
    read(line) {
      const object = parsed(line);
      if (object === undefined) return undefined;
      const own = (name: string): string | number | undefined => {
        const value = Object.hasOwn(object, name) ? object[name] : undefined;
        return typeof value === 'string' || typeof value === 'number' ? value : undefined;
      };
      const told = kindOf(own(kind));
      return told === undefined ? undefined : toldLine(line, told, (name) => own(names[name] ?? name), guest);
    },
  };
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
