/**
 * Timers under keys: any values, compared as those of a `Map`. Starting a timer cancels the one that had its key. Once
 * a timer is cancelled or replaced, none of its messages is handled any more, not even one that waits in the mailbox.
 * Messages go by the rules of the mailbox. All timers end with their incarnation.
 */
export interface TimerScheduler<M> {
  /** Sends a message once, after `delayMs`. */
  after(key: unknown, delayMs: number, message: M): void;
  /** Sends messages, each `delayMs` after the one before it was sent. Late ones delay those that follow. */
  withFixedDelay(key: unknown, delayMs: number, message: () => M, firstMs?: number): void;
  /**
   * Sends messages at the instants `firstMs`, `firstMs + intervalMs` and so on from now. One that is late does not
   * delay the others. Those whose time has passed, after a pause of the process for example, are sent as one.
   */
  atFixedRate(key: unknown, intervalMs: number, message: () => M, firstMs?: number): void;
  /** Whether a timer of that key is still to send messages. */
  isActive(key: unknown): boolean;
  /** Cancelling a timer that is not there does nothing. */
  cancel(key: unknown): void;
  cancelAll(): void;
}
