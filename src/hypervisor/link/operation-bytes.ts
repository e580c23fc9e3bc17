import { isOperationName } from '../../operation-name.ts';
import { NO_BYTES } from './frame.ts';

const KNOWN_MAX = 256;

/** Operation names as bytes, remembered: a fleet has a handful, and each request names one. */
export class OperationBytes {
  readonly #known = new Map<string, Uint8Array>();

  /** Undefined if no guest can have an operation of that name. */
  of(op: string): Uint8Array | undefined {
    if (op === '') return NO_BYTES;
    const known = this.#known.get(op);
    if (known !== undefined) return known;
    if (!isOperationName(op)) return undefined;
    // Clients choose the names: without a limit they could fill the memory.
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    const bytes = new Uint8Array(Buffer.from(op, 'latin1'));
    this.#known.set(op, bytes);
    return bytes;
  }
}
