import { checked } from './checks.ts';
import type { CancelTimer } from './clock.ts';
import type { Notice } from './notice.ts';
import { checkedDelay, checkedDuration, MAKER } from './options.ts';
import type { TimerScheduler } from './timer-scheduler.ts';

/** What timers need of their actor. */
export interface TimerOwner<M> {
  /** Messages waiting. */
  readonly depth: number;
  readonly isEnding: boolean;
  /** Whether no message waits, is in hand or is put aside. */
  readonly isIdle: boolean;
  nowMs(): number;
  notice(): Notice;
  timer(delayMs: number, fire: () => void): CancelTimer;
  /** Sends a message of a timer. If it cannot be made, the actor fails. */
  send(message: () => M, notice: Notice): void;
  revoke(notice: Notice): void;
}

interface ActiveTimer {
  readonly notice: Notice;
  cancel: CancelTimer;
}

export class KeyedTimers<M> implements TimerScheduler<M> {
  readonly #owner: TimerOwner<M>;
  readonly #active = new Map<unknown, ActiveTimer>();
  /** Timers that have sent their only message, which may wait in the mailbox; the latest last. */
  readonly #fired = new Map<unknown, Notice>();
  /** Of those, timers whose message was put aside: it may have come back, and still wait. */
  readonly #stashed = new Map<unknown, Notice>();

  constructor(owner: TimerOwner<M>) {
    this.#owner = owner;
  }

  after(key: unknown, delayMs: number, message: M): void {
    checkedDelay('delayMs', delayMs);
    this.#start(key, delayMs, ({ notice }) => {
      this.#active.delete(key);
      if (this.#owner.isIdle) this.#stashed.clear();
      this.#owner.send(() => message, notice);
      this.#fired.set(key, notice);
      this.#forgetHandled();
    });
  }

  withFixedDelay(key: unknown, delayMs: number, message: () => M, firstMs = delayMs): void {
    checkedDuration('delayMs', delayMs);
    checked('message', message, MAKER);
    this.#start(key, checkedDelay('firstMs', firstMs), (timer) => {
      timer.cancel = this.#owner.timer(delayMs, timer.fire);
      this.#owner.send(message, timer.notice);
    });
  }

  atFixedRate(key: unknown, intervalMs: number, message: () => M, firstMs = intervalMs): void {
    checkedDuration('intervalMs', intervalMs);
    checked('message', message, MAKER);
    let dueMs = this.#owner.nowMs() + checkedDelay('firstMs', firstMs);
    this.#start(key, firstMs, (timer) => {
      const lateMs = Math.max(0, this.#owner.nowMs() - dueMs);
      // A timer may fire a moment early. The next one is then not due before its own time.
      dueMs += intervalMs * (1 + Math.floor(lateMs / intervalMs));
      timer.cancel = this.#owner.timer(Math.max(0, dueMs - this.#owner.nowMs()), timer.fire);
      this.#owner.send(message, timer.notice);
    });
  }

  isActive(key: unknown): boolean {
    return this.#active.has(key);
  }

  cancel(key: unknown): void {
    const timer = this.#active.get(key);
    this.#active.delete(key);
    timer?.cancel();
    const notice = timer?.notice ?? this.#fired.get(key) ?? this.#stashed.get(key);
    this.#fired.delete(key);
    this.#stashed.delete(key);
    if (notice !== undefined) this.#owner.revoke(notice);
  }

  cancelAll(): void {
    const keys = [this.#active, this.#fired, this.#stashed].flatMap((timers) => [...timers.keys()]);
    for (const key of keys) this.cancel(key);
  }

  #start(key: unknown, firstMs: number, fired: (timer: ActiveTimer & { readonly fire: () => void }) => void): void {
    this.cancel(key);
    if (this.#owner.isEnding) return;
    const fire = (): void => fired(timer);
    const timer = { notice: this.#owner.notice(), fire, cancel: this.#owner.timer(firstMs, fire) };
    this.#active.set(key, timer);
  }

  /**
   * At most as many have not been handled as messages wait, beside the one in hand, and those are the latest; all but
   * those that were put aside.
   */
  #forgetHandled(): void {
    for (const [key, notice] of this.#fired) {
      if (this.#fired.size <= this.#owner.depth + 1) return;
      this.#fired.delete(key);
      if (notice.wasStashed) this.#stashed.set(key, notice);
    }
  }
}
