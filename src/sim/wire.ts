import type { CloseListener, GuestConnection } from '../hypervisor/mod.ts';
import { type Duration, draw } from './duration.ts';
import type { SimulatedProcess } from './process.ts';
import type { Chance } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What a guest does with a connection. */
export interface GuestSide {
  opened(wire: Wire): void;
  received(wire: Wire, bytes: Uint8Array): void;
  closed(wire: Wire): void;
}

export interface WireOptions {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly process: SimulatedProcess;
  readonly latency: Duration;
  /** Asked when the connection arrives at the address; undefined if nobody listens there. */
  readonly accept: () => GuestSide | undefined;
}

/** Bytes that were written at one moment, and travel together. */
interface Segment {
  readonly sentMs: number;
  /** Undefined once it has arrived. */
  pieces: Uint8Array[] | undefined;
}

/**
 * A TCP connection between Shoal and a guest. Bytes of one direction stay in order. In how many pieces they are written changes
 * nothing: it hangs on memory that the writers of a thread share, and so on what ran in this process before.
 */
export class Wire {
  readonly #options: WireOptions;
  readonly #forget: () => void;
  #guest: GuestSide | undefined;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #segmentToGuest: Segment | undefined;
  #segmentToShoal: Segment | undefined;
  #toGuestMs = 0;
  #toShoalMs = 0;
  #onOpen: () => void = () => undefined;
  #onBytes: (bytes: Uint8Array) => void = () => undefined;
  #onClose: CloseListener | undefined;

  constructor(options: WireOptions) {
    this.#options = options;
    // A socket of a process that was killed is closed by the kernel.
    this.#forget = options.process.onDeath(() => this.closeFromShoal());
    this.#toGuest(() => this.#arrive());
  }

  /** The end that the link actor holds. */
  get shoalSide(): GuestConnection {
    return {
      onOpen: (listener) => {
        this.#onOpen = listener;
      },
      onBytes: (listener) => {
        this.#onBytes = listener;
      },
      onClose: (listener) => {
        this.#onClose = listener;
      },
      write: (bytes) => {
        // The writer reuses nothing that it has handed over, but a guest may keep it for long.
        this.#segmentToGuest = this.#joined(this.#segmentToGuest, bytes, (arrived) =>
          this.#toGuest(() => this.#guest?.received(this, arrived())),
        );
        return true;
      },
      onDrain: () => undefined,
      close: () => this.closeFromShoal(),
    };
  }

  /** Bytes from the guest. */
  send(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#segmentToShoal = this.#joined(this.#segmentToShoal, bytes, (arrived) =>
      this.#toShoal(() => this.#onBytes(arrived())),
    );
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The guest, its machine or the network between ends it. */
  closeFromGuest(why: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#forget();
    this.#guest?.closed(this);
    this.#guest = undefined;
    this.#toShoal(() => {
      const tell = this.#onClose;
      this.#onClose = undefined;
      tell?.(why, true);
    });
  }

  closeFromShoal(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#forget();
    const tell = this.#onClose;
    this.#onClose = undefined;
    this.#options.process.gate(() => tell?.('closed', false));
    const guest = this.#guest;
    this.#guest = undefined;
    if (guest !== undefined) this.#options.time.after(this.#delayMs(), () => guest.closed(this));
  }

  #arrive(): void {
    if (this.#state !== 'opening') return;
    const guest = this.#options.accept();
    if (guest === undefined) {
      this.closeFromGuest('connect ECONNREFUSED');
      return;
    }
    this.#state = 'open';
    this.#guest = guest;
    guest.opened(this);
    this.#toShoal(() => this.#onOpen());
  }

  #joined(last: Segment | undefined, bytes: Uint8Array, send: (arrived: () => Uint8Array) => void): Segment {
    const { nowMs } = this.#options.time;
    if (last?.pieces !== undefined && last.sentMs === nowMs) {
      last.pieces.push(bytes);
      return last;
    }
    const segment: Segment = { sentMs: nowMs, pieces: [bytes] };
    send(() => arrive(segment));
    return segment;
  }

  #toGuest(callback: () => void): void {
    const { time } = this.#options;
    this.#toGuestMs = Math.max(this.#toGuestMs, time.nowMs + this.#delayMs());
    time.after(this.#toGuestMs - time.nowMs, callback);
  }

  #toShoal(callback: () => void): void {
    const { time, process } = this.#options;
    this.#toShoalMs = Math.max(this.#toShoalMs, time.nowMs + this.#delayMs());
    process.later(this.#toShoalMs - time.nowMs, callback);
  }

  #delayMs(): number {
    return draw(this.#options.latency, this.#options.chance);
  }
}

function arrive(segment: Segment): Uint8Array {
  const { pieces = [] } = segment;
  segment.pieces = undefined;
  const [first] = pieces;
  return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces);
}
