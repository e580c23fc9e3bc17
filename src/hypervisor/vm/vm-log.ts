import type { Clock, Ref } from '../../actors/mod.ts';
import type { VmId } from '../../fleet/mod.ts';
import type { ConsoleEvent } from '../console/console-event.ts';
import { GuestLog, type LogLine } from '../console/guest-log.ts';
import type { LifecycleInput } from './lifecycle.ts';
import type { LogBatch } from './vm-messages.ts';

/** Someone who forgets to unfollow must not be able to make a VM's log expensive. */
const FOLLOWERS_MAX = 16;
/** Begins Shoal's own lines. */
const NOTE = '[shoal] ';
/** Of a line that stands in another text. */
const SAID_CHARS_MAX = 200;

export interface LogOwner {
  readonly vm: VmId;
  /** Where the log is kept; undefined: in memory only. */
  readonly logFolder: string | undefined;
  readonly clock: Clock;
  /** Has `publish` called soon: all lines that come at once make one batch. */
  publishSoon(): void;
}

/** The log of a VM: the guest's lines, Shoal's notes between them, and those who follow it. */
export class VmLog {
  readonly #owner: LogOwner;
  readonly #log: GuestLog;
  #followers: Ref<LogBatch>[] = [];
  #fresh: LogLine[] = [];

  constructor(owner: LogOwner) {
    this.#owner = owner;
    this.#log = new GuestLog(owner.logFolder, owner.vm);
  }

  /** Goes on with the log of an adopted VM. A log that cannot be read begins anew. */
  async load(): Promise<void> {
    try {
      await this.#log.load();
    } catch (error) {
      this.note(`the log of the time before cannot be read: ${String(error)}`);
    }
  }

  heard(event: Extract<ConsoleEvent, { kind: 'log' | 'refused' | 'shed' }>): void {
    switch (event.kind) {
      case 'log':
        this.#line(event.text);
        return;
      case 'refused':
        this.note(`refused, ${event.why}: ${event.text}`);
        return;
      case 'shed':
        this.note(`${event.lines} lines came too fast and were dropped`);
        return;
    }
  }

  /** A line of Shoal between those of the guest. */
  note(text: string): void {
    this.#line(`${NOTE}${text}`);
  }

  /**
   * What happened to the guest, with what its log says of it: that is where it stands what is wrong with a service, and nobody can ask for it
   * where a Shoal ends because its first VM does not start.
   */
  explained(input: LifecycleInput): LifecycleInput {
    if (input.kind === 'boot-timeout') return { ...input, said: this.#lastSaid() };
    const said = input.kind === 'bye' && input.reason.startsWith('bad-service') ? this.#lastSaid() : undefined;
    return input.kind === 'bye' && said !== undefined ? { ...input, reason: `${input.reason}: ${said}` } : input;
  }

  tail(linesMax: number): readonly LogLine[] {
    return this.#log.tail(linesMax);
  }

  follow(follower: Ref<LogBatch>): void {
    if (this.#followers.length < FOLLOWERS_MAX) this.#followers.push(follower);
    else follower.tell({ vm: this.#owner.vm, lines: [], ended: true });
  }

  unfollow(follower: Ref<LogBatch>): void {
    this.#followers = this.#followers.filter((one) => one.path !== follower.path);
  }

  /** Tells the followers the lines that are new. */
  publish(): void {
    this.#publish(false);
  }

  /** Tells the followers the last lines, and resolves when all lines are in the file. */
  end(): Promise<void> {
    this.#publish(true);
    return this.flush();
  }

  flush(): Promise<void> {
    return this.#log.flush();
  }

  /** The last line, if it is the guest's own. */
  #lastSaid(): string | undefined {
    const [line] = this.tail(1);
    return line === undefined || line.text.startsWith(NOTE) ? undefined : line.text.trim().slice(0, SAID_CHARS_MAX);
  }

  #line(text: string): void {
    const line = { atMs: this.#owner.clock.now(), text };
    this.#log.append(line);
    if (this.#followers.length === 0) return;
    if (this.#fresh.length === 0) this.#owner.publishSoon();
    this.#fresh.push(line);
  }

  #publish(ended: boolean): void {
    const lines = this.#fresh;
    if (lines.length === 0 && !ended) return;
    this.#fresh = [];
    this.#followers = this.#followers.filter((follower) => follower.tell({ vm: this.#owner.vm, lines, ended }));
  }
}
