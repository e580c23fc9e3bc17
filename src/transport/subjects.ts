import { ShoalError } from '../errors.ts';
import { checkFleetName } from './fleet-name.ts';
import { checkHostName } from './host-name.ts';
import { quote } from './quote.ts';

/** Queue group of all subjects where one of several Shoals is to answer. */
export const QUEUE = 'shoal';

/** The subjects of a fleet (DESIGN section 7). */
export interface Subjects {
  /** Request-reply: text in, processed text out. */
  readonly process: string;
  /** Events of the fleet: decisions, starts, ends. */
  readonly events: string;
  /** What the subjects begin with by which the hosts of the fleet find each other. */
  readonly hosts: string;
  /** Says that the parameters of the whole fleet have changed. */
  readonly params: string;
  /** Reserved for batches of load reports. */
  readonly telemetry: string;
  /** All administration verbs, for the server side. Of several hosts any one answers. */
  readonly adminAll: string;
  /** The verbs that each host answers, and no other host for it. */
  readonly everyAll: string;
  /** @throws CONFIG_VALUE if `verb` cannot be a token of a subject */
  admin(verb: string): string;
  /** @throws CONFIG_VALUE as `admin` */
  every(verb: string): string;
  /** A verb of one host, or `*`, all of them. @throws CONFIG_VALUE for a verb or a host that cannot be a token of a subject */
  hostAdmin(host: string, verb: string): string;
  /** Where a host that starts claims its name. @throws CONFIG_VALUE */
  claim(host: string): string;
}

const VERB = /^[a-z][a-z0-9-]{0,63}$/;

/** @throws CONFIG_VALUE for an invalid fleet name */
export function subjectsOf(fleet: string): Subjects {
  const root = `shoal.${checkFleetName(fleet)}`;
  return {
    process: `${root}.process`,
    events: `${root}.events`,
    hosts: `${root}.hosts`,
    params: `${root}.params`,
    telemetry: `${root}.telemetry`,
    adminAll: `${root}.admin.*`,
    everyAll: `${root}.every.*`,
    admin: (verb) => `${root}.admin.${checkVerb(verb)}`,
    every: (verb) => `${root}.every.${checkVerb(verb)}`,
    hostAdmin: (host, verb) => `${root}.host.${hostToken(host)}.${verb === '*' ? verb : checkVerb(verb)}`,
    claim: (host) => `${root}.claim.${hostToken(host)}`,
  };
}

function checkVerb(verb: string): string {
  if (VERB.test(verb)) return verb;
  throw new ShoalError('CONFIG_VALUE', `Expected a verb of small letters, digits and "-", got ${quote(verb)}`);
}

/** A name of a host may have dots, which separate the tokens of a subject. No name has a `~`. */
function hostToken(host: string): string {
  return checkHostName(host).replaceAll('.', '~');
}
