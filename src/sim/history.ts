import { createHash } from 'node:crypto';

/** One line of what happened. */
export interface HistoryEvent {
  readonly atMs: number;
  readonly host: string;
  readonly what: string;
  readonly vm?: number;
  readonly text?: string;
}

/** Everything that happened, as one hash; two runs are the same exactly if their hashes are. */
export class History {
  readonly #hash = createHash('sha256');
  readonly #onLine: ((line: string) => void) | undefined;
  #count = 0;

  /** @param onLine gets one aligned line for each */
  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine;
  }

  get count(): number {
    return this.#count;
  }

  add({ atMs, host, what, vm, text = '' }: HistoryEvent): void {
    this.#count += 1;
    const line = `${(atMs / 1_000).toFixed(6).padStart(14)}  ${host.padEnd(8)} ${what.padEnd(14)} ${(vm === undefined ? '' : String(vm)).padStart(7)}  ${text}`;
    this.#hash.update(line).update('\n');
    this.#onLine?.(line.trimEnd());
  }

  /** Hexadecimal. It can be asked for at any time. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
