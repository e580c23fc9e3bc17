import type { Clock, Ref } from '../../actors/mod.ts';
import type { VmId } from '../../fleet/mod.ts';
import type { GuestLog, LogLine } from '../console/guest-log.ts';
import type { LogBatch } from './vm-messages.ts';

/** Someone who forgets to unfollow must not be able to make a VM's log expensive. */
const FOLLOWERS_MAX = 16;

/** A guest's log with those who follow it. */
export class VmLog {
  readonly #vm: VmId;
  readonly #log: GuestLog;
  readonly #clock: Clock;
  #followers: Ref<LogBatch>[] = [];
  #fresh: LogLine[] = [];

  constructor(vm: VmId, log: GuestLog, clock: Clock) {
    this.#vm = vm;
    this.#log = log;
    this.#clock = clock;
  }

  /** A line of the guest. */
  line(text: string): void {
    const line = { atMs: this.#clock.now(), text };
    this.#log.append(line);
    if (this.#followers.length > 0) this.#fresh.push(line);
  }

  /** A line of ours between those of the guest. */
  note(text: string): void {
    this.line(`[shoal] ${text}`);
  }

  tail(linesMax: number): readonly LogLine[] {
    return this.#log.tail(linesMax);
  }

  follow(follower: Ref<LogBatch>): void {
    if (this.#followers.length < FOLLOWERS_MAX) this.#followers.push(follower);
    else follower.tell({ vm: this.#vm, lines: [], ended: true });
  }

  unfollow(follower: Ref<LogBatch>): void {
    this.#followers = this.#followers.filter((one) => one.path !== follower.path);
  }

  /** Tells the followers what came since the last time. */
  publish(ended = false): void {
    const lines = this.#fresh;
    if (lines.length === 0 && !ended) return;
    this.#fresh = [];
    this.#followers = this.#followers.filter((follower) => follower.tell({ vm: this.#vm, lines, ended }));
  }

  flush(): Promise<void> {
    return this.#log.flush();
  }
}
