import { EVENTS } from './events.ts';
import { FLEET_DEPLOYS } from './fleet-deploys.ts';
import { HOST } from './host.ts';
import type { Area } from './mutation.ts';
import { NEIGHBOURS } from './neighbours.ts';
import { RELAYED_COMMANDS } from './relayed-commands.ts';
import { REMOTE_BYTES } from './remote-bytes.ts';
import { REMOTE_HOSTS } from './remote-hosts.ts';
import { REMOTE_LINKS } from './remote-links.ts';
import { REQUESTS } from './requests.ts';
import { ROUTER } from './router.ts';
import { SAFETY_RULES } from './safety-rules.ts';
import { SIZING_RULES } from './sizing-rules.ts';
import { STATE } from './state.ts';

export const AREAS = {
  /**
   * Every condition, comparison and constant of `src/fleet/policy/` and `src/fleet/state/`, and what the router does by itself, with one
   * change each. Left out are changes that nobody can notice,
   * such as conditions that follow from others: a VM with requests in flight never has idle reports, a VM that starts has no report,
   * a request that is waited for waits or is dispatched, an error asks for a step, which serves those that wait, a boot that was adopted has
   * its lease for as long, a reply that has expired is not found though it is there,
   * an id that is out of the pool is not given though it is among those that nobody holds, a link that comes up is a sign of life, as is
   * becoming ready, and a VM is asked so long before its limit that its answer has time.
   */
  fleet: {
    mutations: [
      ...SIZING_RULES,
      ...SAFETY_RULES,
      ...REQUESTS,
      ...EVENTS,
      ...STATE,
      ...ROUTER,
      ...NEIGHBOURS,
      ...FLEET_DEPLOYS,
      ...RELAYED_COMMANDS,
    ],
    tests: ['fleet/**/*.test.ts'],
  },
  /** How the hosts of a group find and lose each other, and carry messages. The codec's tests take longer than all others together. */
  remote: {
    mutations: [...REMOTE_BYTES, ...REMOTE_LINKS, ...REMOTE_HOSTS],
    tests: ['remote/!(message-codec).test.ts'],
  },
  /** What a host keeps of a deploy, and what it obeys. */
  host: {
    mutations: HOST,
    tests: ['app/deploy/*.test.ts', 'store/kept-file.test.ts', 'hypervisor/relay/*.test.ts'],
  },
} as const satisfies Readonly<Record<string, Area>>;

export type AreaName = keyof typeof AREAS;
