import type { ErrorEnvelope } from '../../errors.ts';
import { ShoalError, toEnvelope } from '../../errors.ts';
import type { GuestReady, GuestReport, VmEnd } from '../../fleet/mod.ts';
import type { ConsoleEvent } from '../console/console-event.ts';
import type { MachineExit } from '../port.ts';
import { endOf } from './vm-end.ts';

/** How a VM is made to stop: each stage has a time limit, after which comes the next. The last one is repeated until it has worked. */
export type StopStage = 'console' | 'quit' | 'terminate' | 'kill';

export type VmPhase =
  | { readonly name: 'preparing' }
  | { readonly name: 'prepared' }
  | { readonly name: 'booting' }
  | { readonly name: 'answering' }
  | { readonly name: 'stopping'; readonly stage: StopStage; readonly graceMs: number }
  | { readonly name: 'gone' };

/** Everything that is known of a VM. It outlives a crash of its actor. */
export interface VmMemory {
  readonly phase: VmPhase;
  /** What came before it could be done. */
  readonly startAsked: boolean;
  readonly stopAsked: { readonly why: string; readonly graceMs: number } | undefined;
  /** Why we end it although nobody asked to. */
  readonly error: ErrorEnvelope | undefined;
  readonly bye: string | undefined;
  readonly lastSeq: number;
  /** True while the guest's ready line may have been printed when nobody listened. */
  readonly missedConsole: boolean;
  /** Set once the guest has not obeyed its console. */
  readonly verdict: 'stuck' | 'dead' | undefined;
}

/** What the guest was told and has to repeat, and how long things may take. */
export interface VmTerms {
  readonly bind: string;
  readonly addr: string;
  readonly textBytesMax: number;
  readonly bootTimeoutMs: number;
  readonly stop: StopLimits;
}

export interface StopLimits {
  readonly consoleMs: number;
  readonly quitMs: number;
  readonly terminateMs: number;
  readonly killMs: number;
}

export type VmInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop'; readonly why: string; readonly graceMs?: number }
  | { readonly kind: 'prepared' }
  | { readonly kind: 'prepare-failed'; readonly error: ErrorEnvelope }
  /** The machine is ours again, after a crash of the actor. */
  | { readonly kind: 'recovered' }
  | { readonly kind: 'start-failed'; readonly error: ErrorEnvelope }
  | { readonly kind: 'console'; readonly event: Extract<ConsoleEvent, { kind: 'ready' | 'status' | 'bye' }> }
  | { readonly kind: 'boot-timeout' }
  | { readonly kind: 'stage-timeout' }
  /** @param burning whether the process used its CPU while the guest did not obey */
  | { readonly kind: 'quit-answered'; readonly burning: boolean }
  | { readonly kind: 'exited'; readonly exit: MachineExit };

export type VmAction =
  | { readonly do: 'tell-prepared' }
  | { readonly do: 'tell-booting' }
  | { readonly do: 'tell-answering'; readonly guest: GuestReady }
  | { readonly do: 'tell-report'; readonly report: GuestReport }
  | { readonly do: 'continue' }
  | { readonly do: 'remember'; readonly guest: GuestReady }
  | { readonly do: 'arm-boot'; readonly ms: number }
  | { readonly do: 'disarm-boot' }
  | { readonly do: 'ask-on-console' }
  | { readonly do: 'quit' }
  | { readonly do: 'signal'; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | { readonly do: 'arm-stage'; readonly ms: number }
  /** The process is gone: clean up, tell, and end. */
  | { readonly do: 'end'; readonly end: VmEnd; readonly error: ErrorEnvelope | undefined };

export interface VmDecision {
  readonly memory: VmMemory;
  readonly actions: readonly VmAction[];
}

export const NEW_VM: VmMemory = {
  phase: { name: 'preparing' },
  startAsked: false,
  stopAsked: undefined,
  error: undefined,
  bye: undefined,
  lastSeq: 0,
  missedConsole: false,
  verdict: undefined,
};

/** What a VM that was found running is taken for: paused means that it was never started. */
export function adoptedVm(running: boolean, guest: GuestReady | undefined): VmMemory {
  if (!running) return { ...NEW_VM, phase: { name: 'prepared' } };
  if (guest === undefined) return { ...NEW_VM, phase: { name: 'booting' }, missedConsole: true };
  return { ...NEW_VM, phase: { name: 'answering' } };
}

/** What a VM does next. Pure: the actor carries it out. */
export function decide(memory: VmMemory, input: VmInput, terms: VmTerms): VmDecision {
  const { phase } = memory;
  switch (input.kind) {
    case 'start':
      if (phase.name === 'preparing') return stay({ ...memory, startAsked: true });
      return phase.name === 'prepared' ? boot(memory, terms) : stay(memory);
    case 'stop':
      return stop(memory, input.why, input.graceMs ?? terms.stop.consoleMs, terms);
    case 'prepared':
      return prepared(memory, terms);
    case 'prepare-failed':
      return gone(memory, { clean: false, why: 'it could not be prepared', exitCode: null }, input.error);
    case 'recovered':
      return recovered(memory, terms);
    case 'start-failed':
      return abort(memory, input.error, terms);
    case 'console':
      return heard(memory, input.event, terms);
    case 'boot-timeout':
      return phase.name === 'booting' ? abort(memory, toEnvelope(bootTimeout(terms)), terms) : stay(memory);
    case 'stage-timeout':
      return stageOver(memory, terms);
    case 'quit-answered':
      return stay(memory.verdict !== undefined && input.burning ? { ...memory, verdict: 'stuck' } : memory);
    case 'exited':
      return exited(memory, input.exit);
  }
}

function stay(memory: VmMemory): VmDecision {
  return { memory, actions: [] };
}

function prepared(memory: VmMemory, terms: VmTerms): VmDecision {
  if (memory.phase.name !== 'preparing') return stay(memory);
  const ready: VmMemory = { ...memory, phase: { name: 'prepared' } };
  if (memory.stopAsked !== undefined) return enter(ready, 'quit', 0, terms);
  const next = memory.startAsked ? boot(ready, terms) : stay(ready);
  return { memory: next.memory, actions: [{ do: 'tell-prepared' }, ...next.actions] };
}

function boot(memory: VmMemory, terms: VmTerms): VmDecision {
  return {
    memory: { ...memory, phase: { name: 'booting' } },
    actions: [{ do: 'tell-booting' }, { do: 'arm-boot', ms: terms.bootTimeoutMs }, { do: 'continue' }],
  };
}

/** Timers died with the actor, and so may have what was under way; what was asked for while nobody could do it is done now. */
function recovered(memory: VmMemory, terms: VmTerms): VmDecision {
  const { phase, stopAsked } = memory;
  if (phase.name === 'preparing') return prepared(memory, terms);
  if (phase.name === 'stopping') return enter(memory, phase.stage, phase.graceMs, terms);
  if (phase.name === 'gone') return stay(memory);
  if (stopAsked !== undefined) return stop(memory, stopAsked.why, stopAsked.graceMs, terms);
  if (phase.name === 'prepared') return memory.startAsked ? boot(memory, terms) : stay(memory);
  if (phase.name === 'answering') return stay(memory);
  return {
    memory: { ...memory, missedConsole: true },
    actions: [{ do: 'arm-boot', ms: terms.bootTimeoutMs }, { do: 'continue' }],
  };
}

function heard(memory: VmMemory, event: Extract<VmInput, { kind: 'console' }>['event'], terms: VmTerms): VmDecision {
  switch (event.kind) {
    case 'bye':
      return stay({ ...memory, bye: memory.bye ?? event.reason });
    case 'ready':
      if (memory.phase.name !== 'booting') return stay(memory);
      return broken(event, terms) === undefined
        ? answering(memory, event.guest)
        : abort(memory, toEnvelope(contract(broken(event, terms) ?? '')), terms);
    case 'status':
      return reported(memory, event.report, terms);
  }
}

function answering(memory: VmMemory, guest: GuestReady): VmDecision {
  return {
    memory: { ...memory, phase: { name: 'answering' }, missedConsole: false },
    actions: [{ do: 'disarm-boot' }, { do: 'remember', guest }, { do: 'tell-answering', guest }],
  };
}

/** Only after ready, and only news: a report that is repeated or older says nothing. */
function reported(memory: VmMemory, report: GuestReport, terms: VmTerms): VmDecision {
  const { phase } = memory;
  if (phase.name === 'booting' && memory.missedConsole) {
    // A guest reports only after its ready line, so it is up; what that line said is lost, and the least is assumed.
    const assumed: GuestReady = { textBytesMax: terms.textBytesMax, idempotent: false, operations: [] };
    const up = answering(memory, assumed);
    const told = reported(up.memory, report, terms);
    return { memory: told.memory, actions: [...up.actions, ...told.actions] };
  }
  if (phase.name !== 'answering' && phase.name !== 'stopping') return stay(memory);
  if (report.seq <= memory.lastSeq) return stay(memory);
  return { memory: { ...memory, lastSeq: report.seq }, actions: [{ do: 'tell-report', report }] };
}

function stop(memory: VmMemory, why: string, graceMs: number, terms: VmTerms): VmDecision {
  const { phase } = memory;
  if (phase.name === 'stopping' || phase.name === 'gone') return stay(memory);
  const asked: VmMemory = { ...memory, stopAsked: { why, graceMs } };
  if (phase.name === 'preparing') return stay(asked);
  // A CPU that never ran reads no console.
  return enter(asked, phase.name === 'prepared' ? 'quit' : 'console', graceMs, terms);
}

/** We end it ourselves, for a reason that its users should learn of. It has lost the right to be asked. */
function abort(memory: VmMemory, error: ErrorEnvelope, terms: VmTerms): VmDecision {
  if (memory.phase.name === 'stopping' || memory.phase.name === 'gone') return stay(memory);
  return enter({ ...memory, error: memory.error ?? error }, 'quit', 0, terms);
}

function enter(memory: VmMemory, stage: StopStage, graceMs: number, terms: VmTerms): VmDecision {
  const { consoleMs, quitMs, terminateMs, killMs } = terms.stop;
  const way: Record<StopStage, readonly VmAction[]> = {
    console: [{ do: 'ask-on-console' }, { do: 'arm-stage', ms: Math.max(graceMs, consoleMs) }],
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
    memory: { ...memory, phase: { name: 'stopping', stage, graceMs } },
    actions: [{ do: 'disarm-boot' }, ...way[stage]],
  };
}

/** A guest that does not obey its console is dead until QEMU shows that it is merely stuck. */
function stageOver(memory: VmMemory, terms: VmTerms): VmDecision {
  const { phase } = memory;
  if (phase.name !== 'stopping') return stay(memory);
  const judged: VmMemory = phase.stage === 'console' ? { ...memory, verdict: 'dead' } : memory;
  return enter(judged, nextStage(phase.stage), phase.graceMs, terms);
}

function nextStage(stage: StopStage): StopStage {
  return stage === 'console' ? 'quit' : stage === 'quit' ? 'terminate' : 'kill';
}

function exited(memory: VmMemory, exit: MachineExit): VmDecision {
  if (memory.phase.name === 'gone') return stay(memory);
  const { end, unexpected } = endOf(memory, exit);
  return gone(memory, end, memory.error ?? (unexpected ? toEnvelope(vmGone(end, exit)) : undefined));
}

function gone(memory: VmMemory, end: VmEnd, error: ErrorEnvelope | undefined): VmDecision {
  return {
    memory: { ...memory, phase: { name: 'gone' }, error },
    actions: [{ do: 'disarm-boot' }, { do: 'end', end, error }],
  };
}

function broken(ready: Extract<ConsoleEvent, { kind: 'ready' }>, terms: VmTerms): string | undefined {
  const differences = [
    ['bind', ready.bind, terms.bind],
    ['addr', ready.addr, terms.addr],
    ['max', String(ready.guest.textBytesMax), String(terms.textBytesMax)],
  ];
  const wrong = differences.find(([, said, told]) => said !== told);
  return wrong && `its ready line says ${wrong[0]}=${wrong[1]}, it was told ${wrong[2]}`;
}

function contract(why: string): ShoalError {
  return new ShoalError('VM_CONTRACT', `The guest broke its contract: ${why}`, { details: { why } });
}

function bootTimeout({ bootTimeoutMs }: VmTerms): ShoalError {
  return new ShoalError(
    'VM_BOOT_TIMEOUT',
    `The guest did not become ready within ${bootTimeoutMs} ms (\`boot_timeout_ms\`)`,
    {
      details: { bootTimeoutMs },
    },
  );
}

function vmGone(end: VmEnd, exit: MachineExit): ShoalError {
  const said = exit.stderr === '' ? '' : `; QEMU said: ${exit.stderr}`;
  return new ShoalError('VM_GONE', `The VM ended by itself: ${end.why}${said}`, {
    details: { why: end.why, exitCode: exit.exitCode, signal: exit.signal },
  });
}
