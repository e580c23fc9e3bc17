import { type Context, exponentialDelayMs } from '../../actors/mod.ts';
import type { Write } from '../policy/on-write.ts';
import type { Address } from '../values/address.ts';
import type { VmId } from '../values/vm-id.ts';
import type { VmTableRow, VmTableUpdate } from '../values/vm-table-row.ts';
import type { RouterMessage } from './router-messages.ts';

/** The store as the fleet needs it; without a port nothing is kept beyond this process. Each resolves when the change is durable. */
export interface StorePorts {
  readonly reserve: (vm: VmId, address: Address) => Promise<unknown>;
  /** R7, at the first status line. For an adopted VM the row may be there already, and is brought up to date. */
  readonly insert?: ((record: VmTableRow) => Promise<unknown>) | undefined;
  /** R8: the VM's row is deleted and whatever address it holds is freed, in one write; resolves too if there is neither. */
  readonly release?: ((vm: VmId) => Promise<unknown>) | undefined;
  readonly touch?: ((vm: VmId, touch: VmTableUpdate) => void) | undefined;
}

interface Entry {
  /** Those not begun yet, in order. */
  readonly todo: { readonly write: Write; readonly run: () => Promise<unknown> }[];
  running: boolean;
  failures: number;
}

const RETRY = { firstMs: 250, maxMs: 10_000 };

/**
 * The durable writes of each VM one after the other: a release never overtakes the reservation that it ends. The outcome of each comes
 * to the router as a message, `written` or `write-failed`.
 */
export class StoreWrites {
  readonly #context: Context<RouterMessage>;
  readonly #ports: StorePorts;
  readonly #entries = new Map<VmId, Entry>();

  constructor(context: Context<RouterMessage>, ports: StorePorts) {
    this.#context = context;
    this.#ports = ports;
  }

  reserve(vm: VmId, address: Address): void {
    this.#add(vm, 'reserve', () => this.#ports.reserve(vm, address));
  }

  insert(record: VmTableRow): void {
    const { insert } = this.#ports;
    if (insert !== undefined) this.#add(record.vm, 'insert', () => insert(record));
  }

  release(vm: VmId): void {
    const { release } = this.#ports;
    this.#add(vm, 'release', async () => release?.(vm));
  }

  touch(vm: VmId, touch: VmTableUpdate): void {
    this.#ports.touch?.(vm, touch);
  }

  /** The write that ran has succeeded, or is given up. */
  done(vm: VmId): void {
    const entry = this.#entries.get(vm);
    if (entry === undefined) return;
    entry.todo.shift();
    entry.running = false;
    entry.failures = 0;
    if (entry.todo.length === 0) this.#entries.delete(vm);
    else this.#next(vm, entry);
  }

  /** Runs the write that failed once more, after a while that grows with each failure. */
  retryLater(vm: VmId): void {
    const entry = this.#entries.get(vm);
    if (entry === undefined) return;
    const delayMs = exponentialDelayMs(RETRY, entry.failures);
    entry.failures += 1;
    this.#context.after(delayMs, { kind: 'write-again', vm });
  }

  again(vm: VmId): void {
    const entry = this.#entries.get(vm);
    if (entry === undefined) return;
    entry.running = false;
    this.#next(vm, entry);
  }

  #add(vm: VmId, write: Write, run: () => Promise<unknown>): void {
    const entry = this.#entries.get(vm) ?? { todo: [], running: false, failures: 0 };
    this.#entries.set(vm, entry);
    entry.todo.push({ write, run });
    this.#next(vm, entry);
  }

  #next(vm: VmId, entry: Entry): void {
    const [first] = entry.todo;
    if (entry.running || first === undefined) return;
    entry.running = true;
    const { write } = first;
    this.#context.pipe(
      attempt(first.run),
      () => ({ kind: 'written', vm, write }),
      (error) => ({ kind: 'write-failed', vm, write, error }),
    );
  }
}

/** A port that throws has failed like one that rejects. */
async function attempt(run: () => Promise<unknown>): Promise<unknown> {
  return run();
}
