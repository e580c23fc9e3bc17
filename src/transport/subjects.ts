import { ShoalError } from '../errors.ts';
import { checkFleetName } from './fleet-name.ts';
import { quote } from './quote.ts';

/** The queue group of everything that one Shoal process out of several is to answer. */
export const QUEUE = 'shoal';

/** Every subject that a fleet uses (DESIGN section 7). */
export interface Subjects {
  /** Request-reply: text in, processed text out. */
  readonly process: string;
  /** What happened: decisions, deaths, starts. */
  readonly events: string;
  /** Batches of load reports, from the controllers to the server. */
  readonly telemetry: string;
  /** All verbs of administration, for whoever serves them. */
  readonly adminAll: string;
  /** @throws CONFIG_VALUE if `verb` is no token of a subject */
  admin(verb: string): string;
}

const VERB = /^[a-z][a-z0-9-]{0,63}$/;

/** @throws CONFIG_VALUE if `fleet` cannot name a fleet */
export function subjectsOf(fleet: string): Subjects {
  const root = `shoal.${checkFleetName(fleet)}`;
  return {
    process: `${root}.process`,
    events: `${root}.events`,
    telemetry: `${root}.telemetry`,
    adminAll: `${root}.admin.*`,
    admin: (verb) => {
      if (VERB.test(verb)) return `${root}.admin.${verb}`;
      throw new ShoalError('CONFIG_VALUE', `Expected a verb of small letters, digits and "-", got ${quote(verb)}`);
    },
  };
}
