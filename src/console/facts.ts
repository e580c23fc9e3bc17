import type { FleetSnapshot } from '../fleet/mod.ts';
import type { EventLine } from './event-lines.ts';
import type { Sample } from './history.ts';

/** All that is known of a fleet at one moment. */
export interface Facts {
  readonly fleet: string;
  /** URL of the NATS server. */
  readonly nats: string;
  /** The latest look. */
  readonly snapshot: FleetSnapshot;
  /** Why there is nothing newer, while the connection is lost. */
  readonly lost: string | undefined;
  /** Oldest first. */
  readonly history: readonly Sample[];
  /** Oldest first. */
  readonly events: readonly EventLine[];
}

/** How the dashboard describes the command that it is part of. */
export interface Hints {
  /** A command line that sends a text to this fleet. */
  readonly send: string;
  /** What `q` does: `quit`, or `end the fleet`. */
  readonly quit: string;
  /** Whether Ctrl-Z suspends the program. `up` does not allow it, because its fleet would stand still. */
  readonly canSuspend: boolean;
}
