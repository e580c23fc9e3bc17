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

/** The command that the dashboard is part of, as far as it shows. */
export interface Hints {
  /** A command line that sends a text to this fleet. */
  readonly send: string;
  /** What `q` does: `quit`, or `end the fleet`. */
  readonly quit: string;
  /** Whether Ctrl-Z stops the program, as shells expect of one: not if a fleet would stand still with it. */
  readonly canSuspend: boolean;
}
