import { harmless } from './cell-text.ts';
import type { Facts, Hints } from './facts.ts';
import { plural, shortCount, shortDuration } from './figures.ts';
import { phasesOf } from './history.ts';
import { clipLine, type Line, type Span, span, spread } from './line.ts';

export interface HeaderOptions {
  readonly paused: boolean;
  /** Whether the VMs are counted by phase here: not where a chart's title does so. */
  readonly phases: boolean;
  readonly cells: number;
}

/** Two lines: which fleet this is, and how it is. */
export function headerLines(facts: Facts, hints: Hints, { paused, phases, cells }: HeaderOptions): readonly Line[] {
  const { snapshot } = facts;
  const name = [
    span(' Shoal ', 'strong'),
    span(harmless(facts.fleet), 'accent'),
    span(`  ${harmless(facts.nats)}`),
    ...(paused ? [span('  '), span(' paused ', 'selected')] : []),
  ];
  const since = [...hostsSpans(facts), span(`  up ${shortDuration(snapshot.uptime_ms)} `)];
  const trouble = troubleOf(facts);
  const second =
    trouble === undefined
      ? spread(stateLine(facts, phases), [span(`${harmless(hints.send)} `, 'quiet')], cells)
      : clipLine([span(` ${harmless(trouble)}`, 'bad')], cells);
  return [spread(name, since, cells), second];
}

/** Why the fleet, or the connection to it, does not work. */
function troubleOf({ lost, snapshot: { blocked, waiting } }: Facts): string | undefined {
  if (lost !== undefined) return `connection lost, retrying: ${lost}`;
  if (blocked === null) return undefined;
  const line = waiting === 0 ? '' : `${shortCount(waiting)} waiting, `;
  return `${line}no VM can be started: ${blocked}`;
}

/** How many VMs there are of each kind, how many addresses are left for more, and what became of the requests. */
function stateLine({ snapshot }: Facts, phases: boolean): Line {
  const { addresses, addresses_free: free, requests } = snapshot;
  const failed = Object.values(requests.failed).reduce((total, count) => total + count, 0);
  return [
    span(' '),
    ...(phases ? [...phaseSpans(snapshot), span('   ')] : []),
    span(`${free}/${addresses} addresses free`, free === 0 ? 'coming' : 'plain'),
    span(`   ${shortCount(requests.ok)} answered`),
    span(`  ${shortCount(failed)} failed`, failed > 0 ? 'bad' : 'plain'),
  ];
}

/** `3 ready  1 starting`: also the legend of the chart. */
export function phaseSpans(snapshot: Facts['snapshot']): readonly Span[] {
  const { ready, starting, leaving, lost } = phasesOf(snapshot);
  return [
    span(`${ready} ready`, 'good'),
    span(`  ${starting} starting`, starting > 0 ? 'coming' : 'quiet'),
    span(`  ${leaving} leaving`, leaving > 0 ? 'leaving' : 'quiet'),
    ...(lost > 0 ? [span(`  ${lost} out of reach`, 'bad')] : []),
  ];
}

function hostsSpans({ snapshot: { hosts } }: Facts): readonly Span[] {
  const down = hosts.filter(({ up }) => !up).length;
  return [span(plural(hosts.length, 'host')), ...(down > 0 ? [span(`, ${down} out of reach`, 'bad')] : [])];
}
