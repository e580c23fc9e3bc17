import { type ErrorEnvelope, ShoalError, toEnvelope } from '../../errors.ts';
import type { GuestReady, GuestReport, VmEnd, VmEndReason } from '../../fleet/mod.ts';
import type { ConsoleEvent } from '../console/console-event.ts';
import type { MachineExit } from '../port.ts';
import type { PowerOff } from '../profile/profile.ts';
import type { LifecycleState, StopAsked, StopStage, VmPhase } from './lifecycle-state.ts';
import { endOf, notPrepared } from './vm-end.ts';

/** The arguments that the guest has to repeat in its ready line, and the time limits. */
export interface VmTerms {
  readonly bind: string;
  readonly addr: string;
  readonly textBytesMax: number;
  /** What the image's profile says; undefined: the guest's ready line counts. */
  readonly idempotent: boolean | undefined;
  readonly powerOff: PowerOff;
  readonly bootTimeoutMs: number;
  readonly stop: StopLimits;
}

export interface StopLimits {
  readonly consoleMs: number;
  readonly quitMs: number;
  readonly terminateMs: number;
  readonly killMs: number;
}

export type LifecycleInput =
  | { readonly kind: 'start' }
  /** It is to boot, and then to stand still. */
  | { readonly kind: 'boot-spare' }
  /** @param isWell whether it has answered a ping */
  | { readonly kind: 'pinged'; readonly isWell: boolean }
  | { readonly kind: 'stop'; readonly reason: VmEndReason; readonly why: string; readonly graceMs?: number }
  | { readonly kind: 'prepared' }
  | { readonly kind: 'prepare-failed'; readonly error: ErrorEnvelope }
  /** The actor has taken the machine over, after a crash or from an earlier Shoal. */
  | { readonly kind: 'recovered' }
  | { readonly kind: 'start-failed'; readonly error: ErrorEnvelope }
  | ContractEvent
  /** @param said the last line of the guest's log; undefined if there is none */
  | { readonly kind: 'boot-timeout'; readonly said?: string | undefined }
  | { readonly kind: 'stage-timeout' }
  /** @param burning whether the process used its CPU while the guest did not obey */
  | { readonly kind: 'quit-answered'; readonly burning: boolean }
  /** @param why what is known of the end besides the exit */
  | { readonly kind: 'exited'; readonly exit: MachineExit; readonly why?: string };

/** What a guest says by its contract. */
type ContractEvent = Extract<ConsoleEvent, { kind: 'ready' | 'status' | 'bye' }>;

export type LifecycleAction =
  | { readonly do: 'tell-prepared' }
  | { readonly do: 'tell-booting' }
  | { readonly do: 'tell-answering'; readonly guest: GuestReady }
  | { readonly do: 'tell-report'; readonly report: GuestReport }
  | { readonly do: 'continue' }
  | { readonly do: 'pause' }
  | { readonly do: 'ping' }
  | { readonly do: 'tell-paused' }
  | { readonly do: 'remember'; readonly guest: GuestReady }
  | { readonly do: 'arm-boot'; readonly ms: number }
  | { readonly do: 'disarm-boot' }
  | { readonly do: 'ask-to-stop'; readonly by: PowerOff['ask'] }
  | { readonly do: 'quit' }
  | { readonly do: 'signal'; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | { readonly do: 'arm-stage'; readonly ms: number }
  /** The process is gone, as far as the actor knows: confirm it, clean up, tell, and end. */
  | { readonly do: 'end'; readonly end: VmEnd; readonly error: ErrorEnvelope | undefined };

export interface LifecycleDecision {
  readonly state: LifecycleState;
  readonly actions: readonly LifecycleAction[];
}

/**
 * Decides what happens next in the life of a VM. Pure: the actor carries the actions out. An input that changes
 * nothing returns the same state.
 */
export function decide(state: LifecycleState, input: LifecycleInput, terms: VmTerms): LifecycleDecision {
  const { phase } = state;
  switch (input.kind) {
    case 'start':
      if (phase.name === 'preparing') return stay({ ...state, startAsked: true });
      return start(state, terms);
    case 'boot-spare':
      return phase.name === 'prepared' ? warm(state, terms) : stay(state);
    case 'pinged':
      return pinged(state, input.isWell, terms);
    case 'stop':
      return stop(state, { graceMs: terms.stop.consoleMs, ...input }, terms);
    case 'prepared':
      return prepared(state, terms);
    case 'prepare-failed':
      return gone(state, notPrepared(input.error), input.error);
    case 'recovered':
      return recovered(state, terms);
    case 'start-failed':
      return abort(state, input.error, terms);
    case 'ready':
      return ready(state, input, terms);
    case 'status':
      return reported(state, input.report, terms);
    case 'bye':
      return stay(state.bye === undefined ? { ...state, bye: input.reason } : state);
    case 'boot-timeout':
      return phase.name === 'booting' || phase.name === 'warming'
        ? abort(state, toEnvelope(bootTimeout(terms, input.said)), terms)
        : stay(state);
    case 'stage-timeout':
      return stageOver(state, terms);
    case 'quit-answered':
      return stay(state.verdict !== undefined && input.burning ? { ...state, verdict: 'stuck' } : state);
    case 'exited':
      return exited(state, input.exit, input.why, terms);
  }
}

function stay(state: LifecycleState): LifecycleDecision {
  return { state, actions: [] };
}

function prepared(state: LifecycleState, terms: VmTerms): LifecycleDecision {
  if (state.phase.name !== 'preparing') return stay(state);
  const paused: LifecycleState = { ...state, phase: { name: 'prepared' } };
  if (state.stopAsked !== undefined) return enter(paused, 'quit', 0, terms);
  const next = state.startAsked ? boot(paused, terms) : stay(paused);
  return { state: next.state, actions: [{ do: 'tell-prepared' }, ...next.actions] };
}

function boot(state: LifecycleState, terms: VmTerms): LifecycleDecision {
  return {
    state: { ...state, phase: { name: 'booting' } },
    actions: [{ do: 'tell-booting' }, { do: 'arm-boot', ms: terms.bootTimeoutMs }, { do: 'continue' }],
  };
}

function start(state: LifecycleState, terms: VmTerms): LifecycleDecision {
  const { phase } = state;
  switch (phase.name) {
    case 'prepared':
      return boot(state, terms);
    case 'warming':
      if (phase.guest === undefined)
        return { state: { ...state, phase: { name: 'booting' } }, actions: [{ do: 'tell-booting' }] };
      return wake(state, phase.guest, [{ do: 'disarm-boot' }]);
    case 'paused':
      return wake(state, phase.guest, [{ do: 'continue' }]);
    default:
      return stay(state);
  }
}

/** Its ready line was checked and noted when it was said. */
function wake(state: LifecycleState, guest: GuestReady, first: readonly LifecycleAction[]): LifecycleDecision {
  const actions: readonly LifecycleAction[] = [{ do: 'tell-booting' }, ...first, { do: 'tell-answering', guest }];
  return { state: { ...state, phase: ANSWERING }, actions };
}

function warm(state: LifecycleState, { bootTimeoutMs }: VmTerms): LifecycleDecision {
  return {
    state: { ...state, phase: { name: 'warming', guest: undefined } },
    actions: [{ do: 'arm-boot', ms: bootTimeoutMs }, { do: 'continue' }],
  };
}

/** A spare has said that it is ready. It stands still once it has answered, too. */
function warmed(state: LifecycleState, said: GuestReady, terms: VmTerms): LifecycleDecision {
  const guest = guestOf(said, terms);
  return {
    state: { ...state, phase: { name: 'warming', guest }, missedConsole: false },
    actions: [{ do: 'remember', guest }, { do: 'ping' }],
  };
}

function pinged(state: LifecycleState, isWell: boolean, terms: VmTerms): LifecycleDecision {
  const { phase } = state;
  if (phase.name !== 'warming' || phase.guest === undefined) return stay(state);
  if (!isWell) return abort(state, toEnvelope(bootTimeout(terms)), terms);
  return {
    state: { ...state, phase: { name: 'paused', guest: phase.guest } },
    actions: [{ do: 'disarm-boot' }, { do: 'pause' }, { do: 'tell-paused' }],
  };
}

/** Timers died with the actor, and whatever was under way may have. Commands that came meanwhile are obeyed now. */
function recovered(state: LifecycleState, terms: VmTerms): LifecycleDecision {
  const { phase, stopAsked } = state;
  if (phase.name === 'preparing') return prepared(state, terms);
  if (phase.name === 'stopping') return enter(state, phase.stage, phase.graceMs, terms);
  if (phase.name === 'gone') return stay(state);
  if (stopAsked !== undefined) return stop(state, stopAsked, terms);
  if (phase.name === 'prepared') return state.startAsked ? boot(state, terms) : stay(state);
  if (phase.name === 'answering' || phase.name === 'paused') return stay(state);
  const again: readonly LifecycleAction[] = [{ do: 'arm-boot', ms: terms.bootTimeoutMs }, { do: 'continue' }];
  if (phase.name === 'warming' && phase.guest !== undefined) return { state, actions: [...again, { do: 'ping' }] };
  return { state: { ...state, missedConsole: true }, actions: again };
}

function ready(
  state: LifecycleState,
  said: Extract<ContractEvent, { kind: 'ready' }>,
  terms: VmTerms,
): LifecycleDecision {
  const { name } = state.phase;
  if (name !== 'booting' && name !== 'warming') return stay(state);
  const why = contractBreach(said, terms);
  if (why !== undefined) return abort(state, toEnvelope(contractBroken(why)), terms);
  return name === 'warming' ? warmed(state, said.guest, terms) : answering(state, said.guest, terms);
}

/** Most VMs are in it most of the time. */
const ANSWERING: VmPhase = { name: 'answering' };

function guestOf(said: GuestReady, { idempotent }: VmTerms): GuestReady {
  // As a rule both say the same, and all VMs share what they said.
  return idempotent === undefined || said.idempotent === idempotent ? said : { ...said, idempotent };
}

function answering(state: LifecycleState, said: GuestReady, terms: VmTerms): LifecycleDecision {
  const guest = guestOf(said, terms);
  return {
    state: { ...state, phase: ANSWERING, missedConsole: false },
    actions: [{ do: 'disarm-boot' }, { do: 'remember', guest }, { do: 'tell-answering', guest }],
  };
}

/**
 * A report from before ready says nothing. Whether one is repeated or older is for the fleet to judge, which has them
 * all.
 */
function reported(state: LifecycleState, report: GuestReport, terms: VmTerms): LifecycleDecision {
  const { phase } = state;
  const tell: LifecycleAction = { do: 'tell-report', report };
  // A guest reports only after its ready line, so it is up. That line is lost, and the least is assumed.
  const least: GuestReady = { textBytesMax: terms.textBytesMax, idempotent: false, operations: [] };
  if (phase.name === 'warming' && state.missedConsole) return warmed(state, least, terms);
  if (phase.name === 'booting' && state.missedConsole) {
    const up = answering(state, least, terms);
    return { state: up.state, actions: [...up.actions, tell] };
  }
  return phase.name === 'answering' || phase.name === 'stopping' ? { state, actions: [tell] } : stay(state);
}

function stop(state: LifecycleState, { reason, why, graceMs }: StopAsked, terms: VmTerms): LifecycleDecision {
  const { phase } = state;
  if (phase.name === 'stopping' || phase.name === 'gone') return stay(state);
  const asked: LifecycleState = { ...state, stopAsked: { reason, why, graceMs } };
  if (phase.name === 'preparing') return stay(asked);
  // A CPU that does not run reads no console, and a spare has no work to finish.
  const isSpare = phase.name === 'prepared' || phase.name === 'warming' || phase.name === 'paused';
  return enter(asked, isSpare ? 'quit' : 'console', graceMs, terms);
}

/** Shoal ends the VM for a reason that its users should learn of, and does not ask the guest first. */
function abort(state: LifecycleState, error: ErrorEnvelope, terms: VmTerms): LifecycleDecision {
  if (state.phase.name === 'stopping' || state.phase.name === 'gone') return stay(state);
  return enter({ ...state, error }, 'quit', 0, terms);
}

function enter(state: LifecycleState, stage: StopStage, graceMs: number, terms: VmTerms): LifecycleDecision {
  const { consoleMs, quitMs, terminateMs, killMs } = terms.stop;
  const actions: Record<StopStage, readonly LifecycleAction[]> = {
    console: [
      { do: 'ask-to-stop', by: terms.powerOff.ask },
      { do: 'arm-stage', ms: Math.max(graceMs, consoleMs) },
    ],
    quit: [{ do: 'quit' }, { do: 'arm-stage', ms: quitMs }],
    terminate: [
      { do: 'signal', signal: 'SIGTERM' },
      { do: 'arm-stage', ms: terminateMs },
    ],
    kill: [
      { do: 'signal', signal: 'SIGKILL' },
      { do: 'arm-stage', ms: killMs },
    ],
  };
  return {
    state: { ...state, phase: { name: 'stopping', stage, graceMs } },
    actions: [{ do: 'disarm-boot' }, ...actions[stage]],
  };
}

/** A guest that does not obey its console is dead until QEMU shows that it is merely stuck. */
function stageOver(state: LifecycleState, terms: VmTerms): LifecycleDecision {
  const { phase } = state;
  if (phase.name !== 'stopping') return stay(state);
  const judged: LifecycleState = phase.stage === 'console' ? { ...state, verdict: 'dead' } : state;
  return enter(judged, nextStage(phase.stage), phase.graceMs, terms);
}

function nextStage(stage: StopStage): StopStage {
  return stage === 'console' ? 'quit' : stage === 'quit' ? 'terminate' : 'kill';
}

function exited(state: LifecycleState, exit: MachineExit, why: string | undefined, terms: VmTerms): LifecycleDecision {
  if (state.phase.name === 'gone') return stay(state);
  const { end, unexpected } = endOf(state, exit, why, terms.powerOff);
  return gone(state, end, state.error ?? (unexpected ? toEnvelope(vmGone(end, exit)) : undefined));
}

function gone(state: LifecycleState, end: VmEnd, error: ErrorEnvelope | undefined): LifecycleDecision {
  return {
    state: { ...state, phase: { name: 'gone' }, error },
    actions: [{ do: 'disarm-boot' }, { do: 'end', end, error }],
  };
}

function contractBreach(ready: Extract<ContractEvent, { kind: 'ready' }>, terms: VmTerms): string | undefined {
  const differences = [
    ['bind', ready.bind, terms.bind],
    ['addr', ready.addr, terms.addr],
    ['max', String(ready.guest.textBytesMax), String(terms.textBytesMax)],
  ];
  const wrong = differences.find(([, said, told]) => said !== told);
  return wrong && `its ready line says ${wrong[0]}=${wrong[1]}, it was told ${wrong[2]}`;
}

function contractBroken(why: string): ShoalError {
  return new ShoalError('VM_CONTRACT', `The guest broke its contract: ${why}`, { details: { why } });
}

function bootTimeout({ bootTimeoutMs }: VmTerms, said?: string): ShoalError {
  const log = said === undefined ? '' : `; its log ends with "${said}"`;
  return new ShoalError(
    'VM_BOOT_TIMEOUT',
    `The guest did not become ready within ${bootTimeoutMs} ms (\`boot_timeout_ms\`)${log}`,
    {
      details: { bootTimeoutMs },
    },
  );
}

function vmGone(end: VmEnd, exit: MachineExit): ShoalError {
  const said = exit.stderr === '' ? '' : `; QEMU said: ${exit.stderr}`;
  return new ShoalError('VM_GONE', `The VM ended unexpectedly: ${end.why}${said}`, {
    details: { why: end.why, exitCode: exit.exitCode, signal: exit.signal },
  });
}
