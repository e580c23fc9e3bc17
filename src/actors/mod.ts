export { type Addressee, addresseeOf, type Offerable, offerTo, takesOffers } from './addressee.ts';
export type { ActorSystem, AskOutcome, Behaviour, Context, Receive, SpawnOptions, TreeNode } from './behaviour.ts';
export type { Rule, Rules } from './checks.ts';
export {
  ANYTHING,
  CAPACITY,
  checked,
  checkOptions,
  FUNCTION,
  MS_ABOVE_0,
  MS_FROM_0,
  numberRule,
  objectWith,
  required,
  rule,
  shown,
  TEXT,
  WHOLE_FROM_1,
} from './checks.ts';
export type { CancelTimer, Clock } from './clock.ts';
export { msToNext, systemClock } from './clock.ts';
export type { DeadLetter, Undelivered } from './dead-letters.ts';
export { DeadLetters } from './dead-letters.ts';
export type { EndListener } from './ends.ts';
export type { ExponentialDelay } from './exponential-delay.ts';
export { exponentialDelayMs } from './exponential-delay.ts';
export { failureReason } from './failure-reason.ts';
export type { Handling, Hooks } from './hooks.ts';
export { dropResult, safe } from './hooks.ts';
export type { ListNode } from './linked-list.ts';
export { LinkedList } from './linked-list.ts';
export type { DeadLetterFields, FailureFields, Logger } from './log.ts';
export { silentLogger, stderrLogger } from './log.ts';
export type { Overflow, Sender } from './mailbox.ts';
export { Mailbox } from './mailbox.ts';
export type { OfferOptions } from './offer.ts';
export { checkSpawnOptions, SPAWN_NAMES } from './options.ts';
export { type Forwarder, failReplies, passOn, tolerant, unknownKind } from './pass-on.ts';
export * from './patterns/mod.ts';
export { DEPTH_MAX, type PlainKind, plainKindOf, TYPED_ARRAYS, whatOf } from './plain-data.ts';
export type { Random } from './random.ts';
export { randomHex, systemRandom } from './random.ts';
export { RateLimit, type RateLimitOptions } from './rate-limit.ts';
export type { Exit, ExitReason, Ref } from './ref.ts';
export { ReplyRef } from './reply-ref.ts';
export type { Runnable, Scheduler, Slice } from './scheduler.ts';
export { FairScheduler } from './scheduler.ts';
export { shownByPath } from './shown-by-path.ts';
export type { SystemOptions } from './system.ts';
export { createSystem } from './system.ts';
export type { TimerScheduler } from './timer-scheduler.ts';
export type { WheelEntry } from './timing-wheel.ts';
export { TimingWheel, WHEEL_STEP_MS } from './timing-wheel.ts';
export type { Tracing } from './tracing.ts';
export { type Going, goingWith, transfer } from './transfer.ts';
