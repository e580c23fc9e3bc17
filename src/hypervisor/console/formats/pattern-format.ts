import { type LinePattern, parseLinePattern } from '../../profile/line-pattern.ts';
import { CONSOLE_FIELDS, type ConsoleField, type ConsoleProfile } from '../../profile/profile.ts';
import type { GuestFacts, LineFormat } from './line-format.ts';
import { type Kind, toldLine } from './told-line.ts';

type Profile = Extract<ConsoleProfile, { format: 'regex' }>;

const KINDS = ['status', 'ready', 'bye'] as const satisfies readonly Kind[];

/** Lines that a pattern of the profile matches. Any line may be one of them, so all count as such. */
export function patternFormat(profile: Profile, guest: GuestFacts): LineFormat {
  const patterns = patternsOf(profile);
  return {
    mayTell: () => true,
    read(line) {
      for (const kind of KINDS) {
        const groups = patterns.get(kind)?.match(line);
        if (groups !== undefined) return toldLine(line, kind, (name: ConsoleField) => groups.get(name), guest);
      }
      return undefined;
    },
  };
}

/** The guests of one image have the same patterns, which are compiled once. */
let last: { readonly profile: string; readonly patterns: ReadonlyMap<Kind, LinePattern> } | undefined;

function patternsOf(profile: Profile): ReadonlyMap<Kind, LinePattern> {
  const key = JSON.stringify(profile);
  if (last?.profile === key) return last.patterns;
  const patterns = new Map<Kind, LinePattern>();
  for (const kind of KINDS) {
    const source = profile[kind];
    if (source === undefined) continue;
    const pattern = parseLinePattern(source, CONSOLE_FIELDS);
    // The profile was checked when it was read.
    if (typeof pattern === 'string') throw new Error(`The pattern for ${kind} cannot be used: ${pattern}`);
    patterns.set(kind, pattern);
  }
  last = { profile: key, patterns };
  return patterns;
}
