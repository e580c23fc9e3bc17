import { describe, expect, it } from 'vitest';
import { ShoalError, toEnvelope } from '../../errors.ts';
import type { GuestReady, VmEnd } from '../../fleet/mod.ts';
import type { MachineExit } from '../port.ts';
import { powerOffOf } from '../profile/shipped.ts';
import { decide, type LifecycleAction, type LifecycleInput, type VmTerms } from './lifecycle.ts';
import { adoptedState, type LifecycleState, NEW_STATE } from './lifecycle-state.ts';

const TERMS: VmTerms = {
  bind: '10.0.2.15/24',
  addr: '127.0.0.1:9000',
  textBytesMax: 1_000,
  idempotent: undefined,
  powerOff: { by: 'isa-debug-exit', code: 67, ask: 'console' },
  bootTimeoutMs: 10_000,
  stop: { consoleMs: 2_000, quitMs: 1_000, terminateMs: 900, killMs: 5_000 },
};
const GUEST: GuestReady = { textBytesMax: 1_000, idempotent: true, operations: ['upper'] };
const READY: LifecycleInput = { kind: 'ready', bind: TERMS.bind, addr: TERMS.addr, guest: GUEST };
const BYE: LifecycleInput = { kind: 'bye', reason: 'stop' };
const STOP = { kind: 'stop', reason: 'idle', why: 'enough' } as const satisfies LifecycleInput;

function report(seq: number): LifecycleInput {
  return { kind: 'status', report: { seq, cpuPercent: 1, ramBytes: 1, inFlight: 0, served: 0 } };
}

function exited(exit: Partial<MachineExit>): LifecycleInput {
  return { kind: 'exited', exit: { exitCode: null, signal: null, stderr: '', ...exit } };
}

/** Feeds a VM one input after another. @returns the actions after the last one, and everything before */
function live(
  inputs: readonly LifecycleInput[],
  from: LifecycleState = NEW_STATE,
  terms: VmTerms = TERMS,
): { state: LifecycleState; last: readonly LifecycleAction[]; all: readonly LifecycleAction[] } {
  let state = from;
  let last: readonly LifecycleAction[] = [];
  const all: LifecycleAction[] = [];
  for (const input of inputs) {
    ({ state, actions: last } = decide(state, input, terms));
    all.push(...last);
  }
  return { state, last, all };
}

function names(actions: readonly LifecycleAction[]): readonly string[] {
  return actions.map((action) => action.do);
}

const UP: readonly LifecycleInput[] = [{ kind: 'prepared' }, { kind: 'start' }, READY];

describe('a VM', () => {
  it('is prepared, started, ready, reports, stops and is gone', () => {
    const { all } = live([...UP, report(1), STOP, BYE, exited({ exitCode: 67 })]);
    expect(names(all)).toEqual([
      'tell-prepared',
      ...['tell-booting', 'arm-boot', 'continue'],
      ...['disarm-boot', 'remember', 'tell-answering'],
      'tell-report',
      ...['disarm-boot', 'ask-to-stop', 'arm-stage'],
      ...['disarm-boot', 'end'],
    ]);
    expect(all.at(-1)).toEqual({
      do: 'end',
      end: { clean: true, reason: 'idle', why: 'enough', exitCode: 67 },
      error: undefined,
    });
  });

  it('that is told to start while it is being prepared starts as soon as it can', () => {
    expect(names(live([{ kind: 'start' }, { kind: 'prepared' }]).last)).toContain('continue');
  });

  it('obeys each command once', () => {
    expect(live([...UP, { kind: 'start' }]).last).toEqual([]);
    expect(live([...UP, STOP, STOP]).last).toEqual([]);
  });

  it('that is told to stop while it is being prepared, or paused, is not asked on a console that nobody reads', () => {
    expect(names(live([STOP, { kind: 'prepared' }]).all)).toEqual(['disarm-boot', 'quit', 'arm-stage']);
    expect(names(live([{ kind: 'prepared' }, STOP]).last)).toEqual(['disarm-boot', 'quit', 'arm-stage']);
  });

  it('is asked, then made to stop, step by step, and the last one again and again', () => {
    const late: LifecycleInput = { kind: 'stage-timeout' };
    const { all } = live([...UP, STOP, late, late, late, late]);
    expect(all.filter((action) => action.do !== 'disarm-boot').slice(-10)).toEqual([
      { do: 'ask-to-stop', by: 'console' },
      { do: 'arm-stage', ms: 2_000 },
      { do: 'quit' },
      { do: 'arm-stage', ms: 1_000 },
      { do: 'signal', signal: 'SIGTERM' },
      { do: 'arm-stage', ms: 900 },
      { do: 'signal', signal: 'SIGKILL' },
      { do: 'arm-stage', ms: 5_000 },
      { do: 'signal', signal: 'SIGKILL' },
      { do: 'arm-stage', ms: 5_000 },
    ]);
  });

  it('gets the time to finish its work that its caller grants', () => {
    expect(live([...UP, { ...STOP, graceMs: 30_000 }]).last).toContainEqual({ do: 'arm-stage', ms: 30_000 });
  });

  it('gets the time of the stop limit at least, however little its caller grants', () => {
    expect(live([...UP, { ...STOP, graceMs: 5 }]).last).toContainEqual({ do: 'arm-stage', ms: 2_000 });
  });

  it('is heard while it stops: its reports are told, and the first reason of its end counts', () => {
    expect(names(live([...UP, STOP, report(2)]).last)).toEqual(['tell-report']);
    const { last } = live([...UP, STOP, BYE, { kind: 'bye', reason: 'again' }, exited({ exitCode: 67 })]);
    expect(last.at(-1)).toMatchObject({ end: { clean: true } });
  });

  it.each([
    ['bind', { bind: '10.0.2.16/24' }],
    ['addr', { addr: '127.0.0.2:9000' }],
    ['max', { guest: { ...GUEST, textBytesMax: 2_000 } }],
  ])('whose ready line has another %s than it was told is ended with VM_CONTRACT', (key, said) => {
    // One field is another; the kind is the same.
    const ready = { ...READY, ...said } as LifecycleInput;
    const { last, state } = live([{ kind: 'prepared' }, { kind: 'start' }, ready]);
    expect(names(last)).toEqual(['disarm-boot', 'quit', 'arm-stage']);
    const { last: end } = live([exited({ exitCode: 0 })], state);
    expect(end.at(-1)).toMatchObject({
      do: 'end',
      end: { reason: 'contract-broken' },
      error: { code: 'VM_CONTRACT', message: expect.stringContaining(`${key}=`) },
    });
  });

  it('that does not become ready in time is ended with VM_BOOT_TIMEOUT', () => {
    const { last } = live([{ kind: 'prepared' }, { kind: 'start' }, { kind: 'boot-timeout' }, exited({ exitCode: 0 })]);
    const end = { reason: 'boot-timeout' };
    expect(last.at(-1)).toMatchObject({ do: 'end', end, error: { code: 'VM_BOOT_TIMEOUT' } });
    const timeout: LifecycleInput = { kind: 'boot-timeout', said: 'it goes on' };
    const { last: told } = live([{ kind: 'prepared' }, { kind: 'start' }, timeout, exited({ exitCode: 0 })]);
    expect(told.at(-1)).toMatchObject({
      error: { message: expect.stringMatching(/; its log ends with "it goes on"$/) },
    });
    expect(live([...UP, { kind: 'boot-timeout' }]).last).toEqual([]);
  });

  it('is not believed before it is ready, and a report changes nothing that has to be saved', () => {
    expect(live([{ kind: 'prepared' }, { kind: 'start' }, report(1)]).last).toEqual([]);
    const up = live(UP);
    const reported = live([report(5)], up.state);
    expect(names(reported.last)).toEqual(['tell-report']);
    expect(reported.state).toBe(up.state);
  });

  it('that ends by itself is an error, and what is known of it is told', () => {
    const ends: [LifecycleInput, VmEnd['reason'], string][] = [
      [exited({ exitCode: 67 }), 'guest-powered-off', 'the guest powered off without saying bye'],
      [exited({ exitCode: 71 }), 'guest-panicked', 'the guest panicked'],
      [exited({ exitCode: 69 }), 'guest-refused', 'the guest could not use what it was told'],
      [exited({ exitCode: 0 }), 'guest-reset', 'the guest reset itself (a triple fault)'],
      [exited({ signal: 'SIGKILL' }), 'killed', 'killed by SIGKILL'],
      [exited({ exitCode: 1 }), 'qemu-exited', 'QEMU ended with exit code 1'],
      [exited({}), 'process-gone', 'its process is gone'],
      [{ kind: 'exited', exit: { exitCode: null, signal: null, stderr: '' }, why: 'removed' }, 'orphaned', 'removed'],
    ];
    for (const [exit, reason, why] of ends) {
      expect(live([...UP, exit]).last.at(-1)).toMatchObject({
        do: 'end',
        end: { clean: false, reason, why },
        error: { code: 'VM_GONE' },
      });
    }
  });

  it('that stops by itself, and says so, ended cleanly', () => {
    const end = { clean: true, reason: 'guest-stopped' };
    expect(live([...UP, BYE, exited({ exitCode: 67 })]).last.at(-1)).toMatchObject({ end });
    const other: LifecycleInput = { kind: 'bye', reason: 'no memory' };
    expect(live([...UP, other, exited({ exitCode: 67 })]).last.at(-1)).toMatchObject({ end: { reason: 'guest-bye' } });
  });

  it('that is told to stop ends for the reason that it was told, however it ends', () => {
    for (const exit of [exited({ exitCode: 0 }), exited({ signal: 'SIGKILL' }), exited({ exitCode: 71 })]) {
      expect(live([...UP, STOP, exit]).last.at(-1)).toMatchObject({ end: { clean: false, reason: 'idle' } });
    }
  });

  it('that was adopted has no exit code, and ended cleanly if it said so', () => {
    const { last } = live([STOP, BYE, exited({})], adoptedState(true, GUEST));
    expect(last.at(-1)).toMatchObject({ do: 'end', end: { clean: true }, error: undefined });
  });

  it('that was adopted and stands still is ended by us, and one that was only asked to stop is not', () => {
    const endOf = (from: LifecycleState) => live([STOP, exited({})], from).last.at(-1);
    const ended = { clean: false, reason: 'idle', why: `ended by us: ${STOP.why}` };
    for (const guest of [GUEST, undefined]) expect(endOf(adoptedState(false, guest))).toMatchObject({ end: ended });
    expect(endOf(adoptedState(true, GUEST))).toMatchObject({ end: { clean: false, why: 'its process is gone' } });
  });

  it('that has too little memory says so, and what helps is said', () => {
    const bye: LifecycleInput = { kind: 'bye', reason: 'bad-argument (shoal.max=1048576: too-little-memory)' };
    expect(live([...UP, bye, exited({ exitCode: 69 })]).last.at(-1)).toMatchObject({
      end: {
        reason: 'guest-bye',
        why: `the guest said bye: ${bye.reason}; raise vm_memory_bytes, or \`memoryMib\` of its profile`,
      },
    });
  });

  it('that powers off without bye did not end cleanly', () => {
    expect(live([...UP, STOP, exited({ exitCode: 67 })]).last.at(-1)).toMatchObject({ end: { clean: false } });
  });

  it('whose profile says so ends cleanly by its last line and exit code 0', () => {
    const terms: VmTerms = { ...TERMS, powerOff: { by: 'bye', ask: 'console' } };
    const endOf = (...inputs: readonly LifecycleInput[]) => live([...UP, ...inputs], NEW_STATE, terms).last.at(-1);
    expect(endOf(STOP, BYE, exited({ exitCode: 0 }))).toMatchObject({ end: { clean: true } });
    expect(endOf(STOP, exited({ exitCode: 0 }))).toMatchObject({ end: { clean: false } });
    expect(endOf(STOP, BYE, exited({ exitCode: 67 }))).toMatchObject({ end: { clean: false } });
    expect(endOf(exited({ exitCode: 0 }))).toMatchObject({ end: { clean: false, reason: 'guest-powered-off' } });
  });

  it('that can only exit ended cleanly if it did so when it was asked, and not when QEMU was told to end', () => {
    const terms: VmTerms = { ...TERMS, powerOff: { by: 'exit', ask: 'powerdown' } };
    const endOf = (...inputs: readonly LifecycleInput[]) => live([...UP, ...inputs], NEW_STATE, terms);
    expect(endOf(STOP).last).toContainEqual({ do: 'ask-to-stop', by: 'powerdown' });
    expect(endOf(STOP, exited({ exitCode: 0 })).last.at(-1)).toMatchObject({ end: { clean: true, reason: 'idle' } });
    const late = endOf(STOP, { kind: 'stage-timeout' }, exited({ exitCode: 0 }));
    expect(late.last.at(-1)).toMatchObject({ end: { clean: false, why: `ended by us: ${STOP.why}` } });
    expect(endOf(exited({ exitCode: 0 })).last.at(-1)).toMatchObject({ end: { clean: false } });
  });

  it('is idempotent if its profile says so, whatever it says itself', () => {
    for (const idempotent of [true, false]) {
      const { last } = live(UP, NEW_STATE, { ...TERMS, idempotent });
      expect(last).toContainEqual({ do: 'tell-answering', guest: { ...GUEST, idempotent } });
    }
  });

  it('that cannot be prepared is gone, with the reason', () => {
    const error = toEnvelope(new Error('no'));
    const end = { clean: false, reason: 'prepare-failed' };
    expect(live([{ kind: 'prepare-failed', error }]).last.at(-1)).toMatchObject({ do: 'end', end, error });
    const taken = toEnvelope(new ShoalError('PORT_TAKEN', 'no'));
    const { last } = live([{ kind: 'prepare-failed', error: taken }]);
    expect(last.at(-1)).toMatchObject({ do: 'end', end: { reason: 'address-taken' } });
  });

  it('that does not obey its console is dead, or stuck if it computes; QEMU says which once it is told to quit', () => {
    const late: LifecycleInput = { kind: 'stage-timeout' };
    const answered = (burning: boolean): LifecycleInput => ({ kind: 'quit-answered', burning });
    const verdictOf = (...inputs: readonly LifecycleInput[]): unknown => {
      const end = live([...UP, STOP, ...inputs, exited({ exitCode: 0 })]).last.at(-1);
      return end?.do === 'end' ? end.end.verdict : end;
    };
    expect([verdictOf(late, answered(true)), verdictOf(late, answered(false)), verdictOf(late)]).toEqual([
      ...['stuck', 'dead', 'dead'],
    ]);
    // It was asked to stop, and has done so in time.
    expect([verdictOf(), verdictOf(answered(true))]).toEqual([undefined, undefined]);
  });

  it('whose CPU could not be started is not told to quit again while it stops', () => {
    const failed: LifecycleInput = { kind: 'start-failed', error: toEnvelope(new Error('no')) };
    expect(names(live([{ kind: 'prepared' }, { kind: 'start' }, failed]).last)).toContain('quit');
    expect(live([{ kind: 'prepared' }, { kind: 'start' }, STOP, failed]).last).toEqual([]);
    expect(live([...UP, exited({}), failed]).last).toEqual([]);
  });

  it('is ended once', () => {
    expect(live([...UP, exited({}), exited({})]).last).toEqual([]);
    expect(live([...UP, exited({}), { kind: 'recovered' }]).last).toEqual([]);
  });

  it('that is taken over goes on where it was', () => {
    const recovered: LifecycleInput = { kind: 'recovered' };
    expect(names(live([recovered]).last)).toEqual(['tell-prepared']);
    expect(live([{ kind: 'prepared' }, recovered]).last).toEqual([]);
    expect(names(live([{ kind: 'prepared' }, { kind: 'start' }, recovered]).last)).toEqual(['arm-boot', 'continue']);
    expect(live([...UP, recovered]).last).toEqual([]);
    expect(names(live([...UP, STOP, { kind: 'stage-timeout' }, recovered]).last)).toEqual([
      'disarm-boot',
      'quit',
      'arm-stage',
    ]);
  });

  it('whose ready line was printed when nobody listened is taken for ready at its first report, with the least assumed', () => {
    const { all } = live([{ kind: 'recovered' }, report(3)], adoptedState(true, undefined));
    expect(all).toContainEqual({
      do: 'tell-answering',
      guest: { textBytesMax: 1_000, idempotent: false, operations: [] },
    });
    expect(names(all).at(-1)).toBe('tell-report');
  });

  it('does what it was asked for before it could be taken over', () => {
    const asked = live([STOP]).state;
    const { last } = live([{ kind: 'recovered' }], { ...adoptedState(true, GUEST), stopAsked: asked.stopAsked });
    expect(names(last)).toContain('ask-to-stop');
  });
});

describe('a VM whose QEMU has no exit code for a clean stop', () => {
  const terms: VmTerms = {
    ...TERMS,
    powerOff: powerOffOf({ qemu: { program: 'q', confinement: 'namespaces', why: '' } }),
  };
  const endOf = (...inputs: readonly LifecycleInput[]): VmEnd | undefined => {
    const last = live([...UP, ...inputs], NEW_STATE, terms).last.find((action) => action.do === 'end');
    return last?.do === 'end' ? last.end : undefined;
  };

  it('has stopped cleanly if it said bye, and not if it did not', () => {
    expect(endOf(STOP, BYE, exited({ exitCode: 0 }))).toMatchObject({ clean: true, reason: 'idle' });
    expect(endOf(exited({ exitCode: 0 }))).toMatchObject({
      clean: false,
      why: 'the guest powered off without saying bye',
    });
    const panic: LifecycleInput = { kind: 'bye', reason: 'panic' };
    expect(endOf(panic, exited({ exitCode: 0 }))).toMatchObject({ clean: false, reason: 'guest-bye' });
    expect(endOf(BYE, exited({ signal: 'SIGSYS' }))).toMatchObject({ clean: false, why: 'killed by SIGSYS' });
  });
});

describe('a spare that boots ahead of its use', () => {
  const WARM: LifecycleInput = { kind: 'boot-spare' };
  const PONG: LifecycleInput = { kind: 'pinged', isWell: true };
  const PAUSED: readonly LifecycleInput[] = [{ kind: 'prepared' }, WARM, READY, PONG];

  it('stands still once it has said that it is ready and answered, and tells nothing before', () => {
    const { all, state } = live([{ kind: 'prepared' }, WARM, READY, report(1), PONG, report(2)]);
    expect(names(all)).toEqual([
      'tell-prepared',
      ...['arm-boot', 'continue'],
      ...['remember', 'ping'],
      ...['disarm-boot', 'pause', 'tell-paused'],
    ]);
    expect(state.phase).toEqual({ name: 'paused', guest: GUEST });
  });

  it('goes on from where it stood when it is wanted', () => {
    const { last, state } = live([...PAUSED, { kind: 'start' }]);
    expect(last).toEqual([{ do: 'tell-booting' }, { do: 'continue' }, { do: 'tell-answering', guest: GUEST }]);
    expect(names(live([report(3)], state).last)).toEqual(['tell-report']);
  });

  it('does not stand still if it is wanted before', () => {
    const early = live([{ kind: 'prepared' }, WARM, { kind: 'start' }, READY]);
    expect(names(early.last)).toEqual(['disarm-boot', 'remember', 'tell-answering']);
    const late = live([{ kind: 'prepared' }, WARM, READY, { kind: 'start' }]);
    expect(names(late.last)).toEqual(['tell-booting', 'disarm-boot', 'tell-answering']);
    expect(live([PONG], late.state).all).toEqual([]);
  });

  it('is ended if it is not ready in time, does not answer, or cannot be stopped', () => {
    const boots = live([{ kind: 'prepared' }, WARM]);
    const failure: LifecycleInput = { kind: 'start-failed', error: toEnvelope(new Error('no')) };
    for (const { last } of [
      live([{ kind: 'boot-timeout' }], boots.state),
      live([READY, { kind: 'pinged', isWell: false }], boots.state),
      live([failure], live(PAUSED).state),
    ]) {
      expect(names(last)).toEqual(['disarm-boot', 'quit', 'arm-stage']);
    }
  });

  it('is told to quit when it is to stop, since a CPU that stands still reads no console', () => {
    expect(names(live([...PAUSED, STOP]).last)).toEqual(['disarm-boot', 'quit', 'arm-stage']);
  });

  it('is known by its ready line to whoever finds it', () => {
    expect(adoptedState(false, GUEST).phase).toEqual({ name: 'paused', guest: GUEST });
    expect(adoptedState(false, undefined).phase).toEqual({ name: 'prepared' });
    expect(live([{ kind: 'recovered' }], adoptedState(false, GUEST)).all).toEqual([]);
  });

  it('goes on booting under the actor that takes the place of a lost one', () => {
    const boots = live([{ kind: 'prepared' }, WARM]).state;
    expect(names(live([{ kind: 'recovered' }], boots).last)).toEqual(['arm-boot', 'continue']);
    // Its ready line may be what was lost.
    expect(names(live([{ kind: 'recovered' }, report(1)], boots).last)).toEqual(['remember', 'ping']);
    expect(names(live([READY, { kind: 'recovered' }], boots).last)).toEqual(['arm-boot', 'continue', 'ping']);
    // Only the first report stands for the line.
    expect(live([{ kind: 'recovered' }, report(1), report(2)], boots).last).toEqual([]);
  });

  it('is ended if it breaks its contract, and is idempotent if its profile says so', () => {
    const wrong: LifecycleInput = { ...READY, addr: '127.0.0.9:9' };
    expect(names(live([{ kind: 'prepared' }, WARM, wrong]).last)).toEqual(['disarm-boot', 'quit', 'arm-stage']);
    const { state } = live(PAUSED, NEW_STATE, { ...TERMS, idempotent: false });
    expect(state.phase).toEqual({ name: 'paused', guest: { ...GUEST, idempotent: false } });
  });
});
