import { ShoalError } from '../errors.ts';
import { checkFleetName } from './fleet-name.ts';
import { quote } from './quote.ts';

/** Queue group of all subjects where one of several Shoals is to answer. */
export const QUEUE = 'shoal';

/** The subjects of a fleet (DESIGN section 7). */
export interface Subjects {
  /** Request-reply: text in, processed text out. */
  readonly process: string;
  /** Events of the fleet: decisions, starts, ends. */
  readonly events: string;
  /** Where a Shoal that starts claims the fleet. */
  readonly claim: string;
  /** What the subjects begin with by which the hosts of the fleet find each other. */
  readonly hosts: string;
  /** Reserved for batches of load reports. */
  readonly telemetry: string;
  /** All administration verbs, for the server side. */
  readonly adminAll: string;
  /** @throws CONFIG_VALUE if `verb` cannot be a token of a subject */
  admin(verb: string): string;
}

const VERB = /^[a-z][a-z0-9-]{0,63}$/;

/** @throws CONFIG_VALUE for an invalid fleet name */
export function subjectsOf(fleet: string): Subjects {
  const root = `shoal.${checkFleetName(fleet)}`;
  return {
    process: `${root}.process`,
    events: `${root}.events`,
    claim: `${root}.claim`,
    hosts: `${root}.hosts`,
    telemetry: `${root}.telemetry`,
    adminAll: `${root}.admin.*`,
    admin: (verb) => {
      if (VERB.test(verb)) return `${root}.admin.${verb}`;
      throw new ShoalError('CONFIG_VALUE', `Expected a verb of small letters, digits and "-", got ${quote(verb)}`);
    },
  };
}
