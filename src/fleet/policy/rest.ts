import type { Fleet } from '../state/fleet.ts';
import { hostSilenceMs } from '../values/params.ts';

/** Groups whose VMs come, go or are about to: while one has a member, time alone may bring something about. */
const RESTLESS = [
  'starting',
  'preparing',
  'booting',
  'unreported',
  'draining',
  'stopping',
  'failing',
  'replaced',
  'asked',
] as const;

/**
 * Whether the rules have nothing to wait for but reports and requests: no VM comes or goes or is to, and all were heard of lately. A
 * router that looks less often then still sees each thing that time alone brings about when it is due.
 */
export function isAtRest(fleet: Fleet, nowMs: number): boolean {
  const { host, params, requests } = fleet;
  if (fleet.isClosing || host.reach !== 'up' || requests.waiting > 0 || requests.dispatched > 0) return false;
  if (fleet.deploy !== undefined) return false;
  if (requests.asking > 0 || fleet.neighbours.lostCount > 0) return false;
  if (RESTLESS.some((name) => fleet.group(name).size > 0)) return false;
  const ready = fleet.group('ready').size;
  if (ready < params.minVmCount) return false;
  if (fleet.group('surplus').size > 0 && ready > params.minVmCount) return false;
  // Half of the limit is longer than any rest: its end is not slept through.
  const ruleMs = fleet.ruleMs(nowMs);
  const vmMs = fleet.longestUnheard?.heardMs ?? ruleMs;
  return ruleMs - vmMs <= params.lastConnectMs / 2 && ruleMs - (host.heardMs ?? ruleMs) <= hostSilenceMs(params) / 2;
}
