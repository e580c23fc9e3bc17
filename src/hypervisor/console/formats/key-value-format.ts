import type { ConsoleProfile } from '../../profile/profile.ts';
import { refused } from '../contract-line.ts';
import type { GuestFacts, LineFormat } from './line-format.ts';
import { kindOf, toldLine } from './told-line.ts';

type Profile = Extract<ConsoleProfile, { format: 'key=value' | 'json' }>;

/** Lines of `key=value`, in any order. */
export function keyValueFormat({ kind, names }: Profile, guest: GuestFacts): LineFormat {
  const mark = Buffer.from(`${kind}=`);
  return {
    mayTell: (bytes, from, end) => bytes.subarray(from, end).includes(mark),
    read(line) {
      const fields = new Map<string, string>();
      let twice: string | undefined;
      for (const [key, value] of pairs(line)) {
        if (fields.has(key)) twice ??= key;
        fields.set(key, value);
      }
      const told = kindOf(fields.get(kind));
      if (told === undefined) return undefined;
      if (twice !== undefined) return refused(line, `\`${twice}\` stands there twice`);
      return toldLine(line, told, (name) => fields.get(names[name] ?? name), guest);
    },
  };
}

/** The words `key=value` and `key="a value"` of a line; others, such as a time in front, mean nothing. */
function* pairs(line: string): Generator<readonly [string, string]> {
  for (let at = 0; at < line.length; ) {
    const blank = line.indexOf(' ', at);
    const end = blank < 0 ? line.length : blank;
    const equals = line.indexOf('=', at);
    if (equals <= at || equals >= end) {
      at = end + 1;
      continue;
    }
    const key = line.slice(at, equals);
    const close = line[equals + 1] === '"' ? line.indexOf('"', equals + 2) : -1;
    yield [key, close < 0 ? line.slice(equals + 1, end) : line.slice(equals + 2, close)];
    at = close < 0 ? end + 1 : close + 1;
  }
}
