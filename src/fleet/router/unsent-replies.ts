import { TAKE_BACK_MS } from '../values/neighbour.ts';
import type { NeighbourPort } from './neighbour-messages.ts';
import type { NeighbourSession } from './neighbour-session.ts';

type Session = Pick<NeighbourSession<unknown>, 'host' | 'leaseUntilMs' | 'overMs' | 'mayHaveUnsent' | 'takeBack'>;

/** When the right to replies was seen to be over, with replies that may not have left. */
interface Overdue {
  overMs: number | undefined;
}

/**
 * Replies to clients of other hosts that the NATS server may not have. Some stand in a buffer of this machine, as its way to NATS is gone:
 * once their host may give the requests to others they must not leave any more. Others may have been lost with the connection. Both are
 * taken back, and go by way of that host, which answers unless it has heard that the client has been told.
 */
export class UnsentReplies {
  readonly #port: NeighbourPort;
  /** The last reply of the router before this one, which had no time to take anything back; 0: nothing is left of it. */
  #inherited: number;
  readonly #inheritance: Overdue = { overMs: undefined };

  constructor(port: NeighbourPort) {
    this.#port = port;
    this.#inherited = port.published;
  }

  /** Whether replies of the router before this one may not have left: nobody knows of them any more, and its right has ended with it. */
  get isInheritanceUnsure(): boolean {
    return this.#inherited > this.#port.taken;
  }

  isUnsure(session: Session): boolean {
    return session.mayHaveUnsent(this.#port.taken);
  }

  confirm(): void {
    this.#port.confirm();
  }

  /** At each look at the time, and at all others: one connection carries the replies to the clients of all. */
  look(sessions: readonly Session[], nowMs: number): void {
    const isInheritanceOver = this.#isOver(this.#inheritance, this.isInheritanceUnsure, nowMs);
    const isOver = (session: Session): boolean =>
      this.#isOver(session, nowMs >= session.leaseUntilMs && this.isUnsure(session), nowMs);
    if (!isInheritanceOver && !sessions.some(isOver)) return;
    this.#takeBack(sessions, isInheritanceOver);
  }

  /** The connection is lost, and nobody knows what of the last replies has left. That a client was told must not be told over the next one. */
  lost(sessions: readonly Session[]): void {
    this.#inherited = 0;
    if (sessions.some((session) => this.isUnsure(session))) this.#takeBack(sessions, false);
  }

  /** @param ofAll whose clients they were for is not known */
  #takeBack(sessions: readonly Session[], ofAll: boolean): void {
    const { taken } = this.#port;
    const unsure = sessions.filter((session) => session.mayHaveUnsent(taken));
    this.#inherited = 0;
    this.#port.takeBack((ofAll ? sessions : unsure).map(({ host }) => host));
    for (const session of unsure) {
      session.takeBack(taken);
      session.overMs = undefined;
    }
  }

  /** After a pause of this process, the signs that all is well are there and not read yet: so it is not over at once. */
  #isOver(of: Overdue, isUnsure: boolean, nowMs: number): boolean {
    if (!isUnsure) {
      of.overMs = undefined;
      return false;
    }
    if (of.overMs === undefined) {
      of.overMs = nowMs;
      this.#port.confirm();
    }
    return nowMs - of.overMs >= TAKE_BACK_MS;
  }
}
