import type { Socket } from 'node:net';
import type { CancelTimer, Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { isRecord } from '../../is-record.ts';

/** Far above any answer to Shoal's commands; an endless line must not fill the memory. */
const LINE_BYTES_MAX = 1024 * 1024;
const NEWLINE = 0x0a;

interface PendingCommand {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: CancelTimer;
}

/**
 * A client of QEMU's monitor protocol: one JSON object a line. QEMU greets, the client answers with
 * `qmp_capabilities`, and from then on each command gets one answer with its id. QEMU serves one client at a time,
 * and a second gets no greeting, so everything here is bounded.
 */
export class Qmp {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #pending = new Map<number, PendingCommand>();
  #nextId = 1;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #greeted: ((error?: Error) => void) | undefined;
  #broken: ShoalError | undefined;

  /** Waits for the greeting and ends the negotiation. @throws QMP_TIMEOUT, QMP_ERROR; the socket is then closed */
  static async open(socket: Socket, timeoutMs: number, clock: Clock): Promise<Qmp> {
    const qmp = new Qmp(socket, clock);
    try {
      // QEMU reads nothing before it has greeted, so the command need not wait for the greeting.
      await Promise.all([qmp.#greeting(timeoutMs), qmp.command('qmp_capabilities', undefined, timeoutMs)]);
      return qmp;
    } catch (error) {
      qmp.close();
      throw error;
    }
  }

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.once('close', () => this.#break('the connection was closed'));
  }

  /** Commands may be sent without waiting; QEMU answers them in order. @throws QMP_TIMEOUT, QMP_ERROR */
  command(command: string, args: Readonly<Record<string, unknown>> | undefined, timeoutMs: number): Promise<unknown> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.timer(timeoutMs, () => {
        this.#pending.delete(id);
        reject(timedOut(command, timeoutMs));
      });
      this.#pending.set(id, { command, resolve, reject, cancel });
      this.#socket.write(
        `${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }), id })}\n`,
      );
    });
  }

  close(): void {
    this.#break('it was closed by us');
  }

  #greeting(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.timer(timeoutMs, () => this.#greeted?.(timedOut('the greeting', timeoutMs)));
      this.#greeted = (error) => {
        this.#greeted = undefined;
        cancel();
        if (error === undefined) resolve();
        else reject(error);
      };
    });
  }

  #receive(bytes: Buffer): void {
    let rest = bytes;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...this.#received, rest.subarray(0, end)]).toString('utf8');
      this.#received = [];
      this.#receivedBytes = 0;
      rest = rest.subarray(end + 1);
      if (this.#broken !== undefined) return;
      this.#line(line);
    }
    if (rest.length === 0) return;
    this.#received.push(rest);
    this.#receivedBytes += rest.length;
    if (this.#receivedBytes > LINE_BYTES_MAX) this.#break(`it sent a line of more than ${LINE_BYTES_MAX} bytes`);
  }

  #line(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.#break(`it sent a line that is not JSON: ${line.slice(0, 100)}`);
      return;
    }
    if (!isRecord(message)) return this.#break('it sent a line that is not a JSON object');
    // Events are skipped: the launcher tells of the end of the process, and no other event matters.
    if ('QMP' in message) this.#greeted?.();
    else if (typeof message['id'] === 'number') this.#answer(message['id'], message);
    else if (isRecord(message['error'])) this.#break(`it complains of our input: ${describe(message['error'])}`);
  }

  #answer(id: number, message: Readonly<Record<string, unknown>>): void {
    const pending = this.#pending.get(id);
    // The answer came after its time limit.
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.cancel();
    const { error } = message;
    if (error === undefined) pending.resolve(message['return']);
    else pending.reject(refused(pending.command, isRecord(error) ? describe(error) : String(error)));
  }

  #break(why: string): void {
    if (this.#broken !== undefined) return;
    const error = new ShoalError('QMP_ERROR', `The monitor of QEMU is of no use any more: ${why}`, {
      details: { why },
    });
    this.#broken = error;
    this.#received = [];
    this.#socket.destroy();
    this.#greeted?.(error);
    for (const { reject, cancel } of this.#pending.values()) {
      cancel();
      reject(error);
    }
    this.#pending.clear();
  }
}

function timedOut(what: string, timeoutMs: number): ShoalError {
  return new ShoalError('QMP_TIMEOUT', `QEMU did not answer "${what}" on its monitor within ${timeoutMs} ms`, {
    details: { command: what, timeoutMs },
  });
}

function refused(command: string, why: string): ShoalError {
  return new ShoalError('QMP_ERROR', `QEMU refused "${command}": ${why}`, { details: { command, why } });
}

function describe(error: Readonly<Record<string, unknown>>): string {
  return `${String(error['class'])}: ${String(error['desc'])}`;
}
