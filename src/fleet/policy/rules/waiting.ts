import type { Considered } from '../../values/considered.ts';
import type { WaitReason } from '../../values/end-reason.ts';
import type { Rule } from '../../values/rule.ts';
import { type Blockage, blockageOf } from '../blockage.ts';
import { capacityToComeOf } from '../considered.ts';
import type { WaitingDecision } from '../decision.ts';
import type { Plan } from '../plan.ts';
import { route } from '../route.ts';

/** A wait shorter than this is no news: a VM is about to be free, or a prepared spare boots. */
const SHORT_MS = 500;
/** One event tells of the whole line. With the tick it comes within a second, so that no request waits for a second untold. */
const TOLD_AGAIN_MS = 950;

const RULES: Readonly<Record<WaitReason, Rule>> = {
  'host-away': 'R6',
  'vm-starting': 'R3',
  'no-address': 'R3',
  'no-memory': 'R3',
  'crash-loop': 'R1',
  'no-vm-id': 'R3',
  'all-busy': 'R2',
};

const REASONS: Readonly<Record<Blockage['cause'], WaitReason>> = {
  host: 'host-away',
  addresses: 'no-address',
  memory: 'no-memory',
  'back-off': 'crash-loop',
  'no-id': 'no-vm-id',
};

/** Requests that wait are told why, all of them by one event. */
export function tellWaiting(plan: Plan): void {
  const { fleet, nowMs } = plan;
  const first = fleet.requests.firstInLine;
  if (first === undefined || nowMs - first.arrivedMs < SHORT_MS || nowMs - fleet.waitToldMs < TOLD_AGAIN_MS) return;
  const wait = waitOf(plan);
  if (wait !== undefined) plan.waiting(wait);
}

/** What the requests in line wait for, after what the plan has decided; undefined if the first of them can be served. */
export function waitOf(plan: Plan): Omit<WaitingDecision, 'kind'> | undefined {
  const { fleet, nowMs, starting, serving } = plan;
  const { waiting, firstInLine } = fleet.requests;
  const perVm = fleet.params.vmRequestsMax;
  const considered: Considered[] = [];
  const { kind } = route(fleet, nowMs, waiting - 1, considered, firstInLine);
  if (kind === 'dispatch' || kind === 'hand-on') return undefined;
  considered.push(capacityToComeOf(starting, perVm, waiting));
  // The plan knows why it started no more. Where it wanted no more, the host says what would come of it.
  const blockage = plan.refusal ?? blockageOf(fleet, nowMs);
  const reason = reasonOf(blockage, starting * perVm >= waiting);
  if (blockage !== undefined) {
    considered.push({ what: 'another VM', why: blockage.text, rule: RULES[REASONS[blockage.cause]] });
  }
  const oldestMs = Math.round(nowMs - (firstInLine?.arrivedMs ?? nowMs));
  const figures = { waiting, oldest_ms: oldestMs, serving, starting, ...blockage?.figures };
  return { rule: RULES[reason], reason, why: textOf(reason, plan, blockage), figures, considered };
}

function reasonOf(blockage: Blockage | undefined, isEnoughStarting: boolean): WaitReason {
  if (blockage?.cause === 'host') return 'host-away';
  if (isEnoughStarting) return 'vm-starting';
  return blockage === undefined ? 'all-busy' : REASONS[blockage.cause];
}

function textOf(reason: WaitReason, { starting, serving }: Plan, blockage: Blockage | undefined): string {
  if (reason === 'vm-starting') return starting === 1 ? 'a VM starts for them' : `${starting} VMs start for them`;
  return (
    blockage?.text ??
    (serving === 1 ? 'the one VM that takes requests is busy' : `all ${serving} VMs that take requests are busy`)
  );
}
