/**
 * Moments that simulations should reach, by the names under which runs count them. Seeds that never reach one prove nothing about it, so a
 * long run that misses one fails.
 */
export const MOMENTS: readonly string[] = [
  'vm-adopted',
  'router-killed',
  'shoal-killed',
  'controller-killed',
  'vm-actor-killed',
  'shard-killed',
  'launcher-killed',
  'write-failed',
  'start-failed',
  'blocked',
  'link-lost',
  'repeat-sent',
  'params',
  'shoal killed with requests in hand',
  'shoal killed with a guest at work',
  'shoal killed with a VM prepared',
  'shoal killed with a VM booting',
  'shoal killed during a write of the tables',
  'shoal killed with a deploy under way',
  'a deploy is rolled back',
  'a deploy ends',
  'router killed with a deploy under way',
  'router killed with requests in hand',
  'router killed with a guest at work',
  'router killed with a VM prepared',
  'router killed with a VM booting',
  'router killed during a write of the tables',
  'controller killed with requests in hand',
  'controller killed with a guest at work',
  'controller killed with a VM prepared',
  'controller killed with a VM booting',
  'controller killed during a write of the tables',
  'vm-actor killed with a VM prepared',
  'vm-actor killed with a VM booting',
  'shard killed with a VM prepared',
  'shard killed with a VM booting',
  'shard killed with a guest at work',
  'a guest joins a request with one in work',
  'a guest sends a kept reply to a new link',
  'a guest answers over a newer link',
  'a guest crashes over a request',
  'a relayed command is refused as forged',
  'a relayed command is refused as changed',
  'a relayed command is refused as replayed',
  'a relayed command is refused as late',
  'neighbour-up',
  'neighbour-lost',
  'host-killed',
  'host-left',
  'host killed with a guest at work',
  'host killed with requests in hand',
  'host leaves with a guest at work',
  'host leaves with a VM booting',
  'a host wakes with a reply in hand',
  'a host wakes with a reply in hand, and the others have lost it',
  'a repeat comes to another host',
  'fault deploy',
  'fault hostMute',
  'fault hostDeaf',
  'fault hostStall',
  'fault split',
];

/** The rules that events name. */
const RULES_WITH_EVENTS: readonly string[] = ['R1', 'R2', 'R3', 'R5', 'R6', 'R8'];

/** @returns the moments and rules that were not reached */
export function unreached({
  counts,
  rules,
}: {
  readonly counts: Readonly<Record<string, number>>;
  readonly rules: Readonly<Record<string, number>>;
}): readonly string[] {
  return [
    ...MOMENTS.filter((moment) => (counts[moment] ?? 0) === 0),
    ...RULES_WITH_EVENTS.filter((rule) => (rules[rule] ?? 0) === 0),
  ];
}
