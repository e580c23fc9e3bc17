import type { GuestReport } from '../../../fleet/mod.ts';
import type { ConsoleEvent } from '../console-event.ts';

/** How the lines of a guest's console are read (`console` of its profile). */
export interface LineFormat {
  /** Whether a line that may tell something, and is too long, is worth a word of its own in the log. */
  readonly refusesCut?: boolean;
  /**
   * Whether the line may be one that tells something, so that it counts with those: judged in no more time than it
   * takes to look at the line once.
   */
  mayTell(bytes: Buffer, from: number, end: number): boolean;
  /** What the line tells; undefined: it belongs to the guest's log. @param line as it came */
  read(line: string): ConsoleEvent | undefined;
}

/** What a guest was told or has, which it need not repeat. */
export interface GuestFacts {
  readonly bind: string;
  readonly addr: string;
  readonly textBytesMax: number;
  /** Whether a request may be worked on twice, whatever the guest says; undefined: it says, or it may not. */
  readonly idempotent: boolean | undefined;
  /** No guest can tell of more memory than it has. */
  readonly ramBytesMax: number;
  /** Figures in the place of those that the guest leaves out. */
  measured(): Pick<GuestReport, 'seq' | 'cpuPercent' | 'ramBytes'>;
}
