import { logLine } from '../console/mod.ts';
import type { Considered, Figures, FleetEvent, Rule } from '../fleet/mod.ts';
import { printable } from './output.ts';
import { Reference } from './reference.ts';

/** What an event, a step of a request or the state of one says about a decision. */
export interface Told {
  readonly text: string;
  readonly rule?: Rule;
  readonly figures?: Figures;
  readonly reason?: string;
  readonly considered?: readonly Considered[];
}

/** Below the time of day. */
const INDENT = ' '.repeat(14);

/** An event or a step: what happened, the figures, and what else was considered and why not. */
export function decisionLines({ atMs, ...told }: Told & Pick<FleetEvent, 'atMs'>): readonly string[] {
  return [printable(logLine({ atMs, text: told.text })), ...groundsOf(told)];
}

/** Figures, reason, and what was considered. */
export function groundsOf({ figures = {}, reason, considered = [] }: Told): readonly string[] {
  const known = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`);
  return [
    ...(known.length === 0 ? [] : [`on ${known.join(', ')}`]),
    ...(reason === undefined ? [] : [`reason ${reason}`]),
    ...considered.map(({ what, why, rule }) => `not ${what}: ${why}${rule === undefined ? '' : ` (${rule})`}`),
  ].map((line) => printable(`${INDENT}${line}`));
}

/** Lines about decisions, and below them the rules that these name. */
export function withRules(lines: readonly string[], told: readonly Told[]): string {
  const rules = rulesNamed(told);
  return [...lines, ...(rules.length === 0 ? [] : ['', ...rules])].join('\n');
}

/** The rules that were named, each with its title. */
export function rulesNamed(told: readonly Told[]): readonly string[] {
  const reference = Reference.read();
  const named = told.flatMap(({ rule, considered = [] }) => [rule, ...considered.map((one) => one.rule)]);
  return [...new Set(named.flatMap((rule) => rule ?? []))].map((rule) => {
    const entry = reference.find(rule);
    return entry?.kind === 'rule'
      ? `${rule} ${entry.title}: \`shoal explain ${rule}\``
      : printable(`${rule}: an administrator asked for it`);
  });
}
