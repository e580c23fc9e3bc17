import type { Clock } from '../../actors/mod.ts';
import type { Admission } from '../policy/admission.ts';
import { whyHost } from '../policy/hand-on.ts';
import type { Fleet } from '../state/fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Considered } from '../values/considered.ts';
import type { FailureReason } from '../values/end-reason.ts';
import type { Outcome } from '../values/request.ts';
import type { RequestRecord } from '../values/request-record.ts';
import type { Rule } from '../values/rule.ts';

/** Of each second, so many requests are recorded, and so many that fail. Beyond that none is: under load a sample has to do. */
export const RECORDED_A_SECOND = 20;
export const FAILED_A_SECOND = 50;
const SECOND_MS = 1_000;

/** The rules by which requests fail. What a guest answers, and what a router's own end brings about, no rule decides. */
const RULES: Readonly<Partial<Record<FailureReason, Rule>>> = {
  'queue-full': 'R4',
  'expired-on-arrival': 'R4',
  'expired-in-line': 'R4',
  'expired-on-vm': 'R4',
  poison: 'R6',
  'vm-lost': 'R11',
  'link-lost': 'R11',
  'id-reused': 'R11',
  'repeats-full': 'R11',
};

/** Records how requests are routed and how they end: a sample of all, and of those that fail a larger one. */
export class RequestRecorder {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #tell: (record: RequestRecord) => void;
  readonly #all = new Quota(RECORDED_A_SECOND);
  readonly #failed = new Quota(FAILED_A_SECOND);

  constructor(fleet: Fleet, clock: Clock, tell: (record: RequestRecord) => void) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** What takes the trace of the next request that comes; undefined if that one is not recorded. */
  trace(nowMs: number): Considered[] | undefined {
    return this.#all.take(nowMs) ? [] : undefined;
  }

  /** @param sinceMs when it came; undefined: now */
  routed(requestId: string, admission: Admission, considered: readonly Considered[], sinceMs?: number): void {
    if (admission.kind === 'end') return;
    const { requests, starting } = this.#fleet;
    const serving = this.#fleet.group('serving').size;
    const waited = sinceMs === undefined ? {} : { waited_ms: Math.round(this.#clock.monotonic() - sinceMs) };
    const figures = { waiting: requests.waiting, serving, starting, ...waited };
    const about = { atMs: this.#clock.now(), kind: 'routed', requestId, figures, considered } as const;
    switch (admission.kind) {
      case 'join':
        return this.#tell({ ...about, rule: 'R11', text: 'it joins the open request with its id (R11)' });
      case 'wait':
        return this.#tell({ ...about, rule: admission.rule, text: `it waits for a VM (${admission.rule})` });
      case 'ask':
        return this.#tell({
          ...about,
          rule: 'R11',
          text: 'it is a repeat: other hosts are asked whether they know it (R11)',
        });
      case 'hand-on': {
        const { rule, host, what } = admission;
        const neighbour = this.#fleet.neighbours.get(host);
        const where = neighbour === undefined ? `host ${host}` : whyHost(neighbour, what);
        return this.#tell({ ...about, host, rule, text: `it is handed on to ${where} (${rule})` });
      }
      case 'dispatch': {
        const { rule, vm } = admission;
        const inFlight = this.#fleet.vm(vm)?.inFlight ?? 0;
        const text = `it goes to VM ${vm}, which has ${inFlight} in flight before it (${rule})`;
        return this.#tell({ ...about, figures: { ...figures, in_flight: inFlight }, vm, rule, text });
      }
    }
  }

  /** @param host that had it */
  cameBack({ request, arrivedMs }: OpenRequest, host: string, why: string): void {
    this.#tell({
      atMs: this.#clock.now(),
      kind: 'routed',
      requestId: request.requestId,
      host,
      figures: { waited_ms: Math.round(this.#clock.monotonic() - arrivedMs) },
      text: `host ${host} ${why}`,
    });
  }

  /**
   * @param request undefined: it ended as it came
   * @param trace what was considered then, if it was traced
   */
  ended(requestId: string, outcome: Outcome, request?: OpenRequest, trace?: readonly Considered[]): void {
    const isTraced = request?.isRecorded ?? trace !== undefined;
    if (!isTraced && outcome.ok) return;
    const nowMs = this.#clock.monotonic();
    if (!isTraced && !this.#failed.take(nowMs)) return;
    const figures =
      request === undefined ? {} : { took_ms: Math.round(nowMs - request.arrivedMs), tries: request.tries };
    const about = {
      atMs: this.#clock.now(),
      kind: 'ended',
      requestId,
      figures,
      ...(trace === undefined ? {} : { considered: trace }),
    } as const;
    const { vm } = outcome;
    const where = vm === undefined ? about : { ...about, vm };
    if (outcome.ok) {
      const isHere = outcome.host === this.#fleet.host.name;
      const text = isHere ? `VM ${vm} has replied` : `VM ${vm} of host ${outcome.host} has replied`;
      return this.#tell({ ...where, ...(isHere ? {} : { host: outcome.host }), reason: 'replied', text });
    }
    const { reason, status, message } = outcome;
    const rule = RULES[reason];
    const text = rule === undefined ? `${status}: ${message}` : `${status}: ${message} (${rule})`;
    this.#tell({ ...where, ...(rule === undefined ? {} : { rule }), reason, text });
  }
}

/** So many of each second. */
class Quota {
  readonly #most: number;
  #untilMs = Number.NEGATIVE_INFINITY;
  #left = 0;

  constructor(most: number) {
    this.#most = most;
  }

  take(nowMs: number): boolean {
    if (nowMs >= this.#untilMs) {
      this.#untilMs = nowMs + SECOND_MS;
      this.#left = this.#most;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
