import { FrameParser, FrameType, FrameWriter, type MachineSpec } from '../hypervisor/mod.ts';
import { type Duration, draw } from './duration.ts';
import { hostileWords } from './hostile-relay.ts';
import { kindOf } from './images.ts';
import type { Chance } from './random.ts';
import { unitsIn } from './request-text.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { GuestSide, Wire } from './wire.ts';

/** How a simulated image behaves. */
export interface GuestBehaviour {
  /** From the first instruction to the ready line. */
  readonly boot: Duration;
  /** Computing time of a request. */
  readonly service: Duration;
  readonly idempotent: boolean;
  /** Of those whose CPU is started, the part that never becomes ready. */
  readonly brokenBoots: number;
  /** Of the commands that it is given to relay (R10), the part that it does something else with; default none. */
  readonly hostileRelays?: number;
  /** `bytes`: requests and replies have a content type; default `text`. */
  readonly payload?: 'text' | 'bytes';
}

export interface GuestOptions {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly spec: MachineSpec;
  readonly behaviour: GuestBehaviour;
  /** Milliseconds of computing for a unit of work, which a text of a trace begins with. */
  readonly msPerUnit?: number;
  readonly print: (line: string) => void;
  /** Told of moments that a run should have reached. */
  readonly note: (what: string) => void;
  /** Told when it begins to compute for a request. */
  readonly onWork: (payload: Uint8Array) => void;
  /** Told when it is asked to stop. @param requests in work that somebody waits for */
  readonly stopped: (requests: number) => void;
  readonly powerOff: (exitCode: number) => void;
  /** Told of a command that it is given to relay. */
  readonly onRelay: (line: string) => void;
  /** Commands that guests of the host were given before. */
  readonly oldRelays: readonly string[];
  /** The guests of the host that may print what this one is given. */
  readonly others: () => readonly SimulatedGuest[];
}

interface Work {
  readonly idLow: number;
  readonly idHigh: number;
  readonly token: string;
  readonly tokenBytes: Uint8Array;
  readonly payload: Uint8Array;
  /** Of a typed request: payload and content type as they came, which are the answer's. */
  readonly typed: Uint8Array | undefined;
  readonly needMs: number;
  wire: Wire | undefined;
  isCancelled: boolean;
  /** Requests with the same token, which get its answer under their own ids. */
  readonly joined: Pick<Work, 'idLow' | 'idHigh' | 'wire'>[];
}

interface KeptReply {
  readonly work: Work;
  readonly untilMs: number;
}

interface Peer {
  readonly parser: FrameParser;
  readonly writer: FrameWriter;
  hasSpoken: boolean;
}

/** A text that ends so meets a defect of the guest: it crashes over it. */
export const DEADLY = '!';
const DEADLY_BYTE = DEADLY.charCodeAt(0);
const CRASH_EXIT_CODE = 1;
const RAM_IDLE_BYTES = 1_273_856;
const KEPT_MAX = 64;
const KEPT_MS = 30_000;
const STOPPED_EXIT_CODE = 67;
const QUEUE_MAX = 1_024;
const NO_BYTES = new Uint8Array();
const encoder = new TextEncoder();

/** A guest that keeps the contract of `docs/guest-contract.md`: console lines, frames, tokens, one CPU, one request at a time. */
export class SimulatedGuest implements GuestSide {
  readonly #options: GuestOptions;
  readonly #peers = new Map<Wire, Peer>();
  readonly #queue: Work[] = [];
  #kept: KeptReply[] = [];
  #state: 'off' | 'booting' | 'ready' | 'stopping' | 'hung' | 'ended' = 'off';
  #working: Work | undefined;
  #sequence = 0;
  #isPaused = false;
  /** Its next report fell due while it stood still. */
  #isReportDue = false;
  #served = 0;
  #busyMs = 0;
  #busySinceMs: number | undefined;
  #reportedMs = 0;
  #readyMs = 0;

  constructor(options: GuestOptions) {
    this.#options = options;
  }

  get isListening(): boolean {
    return this.#state === 'ready' || this.#state === 'stopping' || this.#state === 'hung';
  }

  /** The requests that it has. */
  get payloads(): readonly Uint8Array[] {
    return (this.#working === undefined ? this.#queue : [this.#working, ...this.#queue]).map(({ payload }) => payload);
  }

  /** Requests accepted and not answered. */
  get inFlight(): number {
    return this.#queue.length + (this.#working === undefined ? 0 : 1);
  }

  /** Its CPU runs from now on: it boots, or goes on where it stood still. */
  run(): void {
    this.#isPaused = false;
    if (this.#state === 'off') this.#boot();
    else if (this.#isReportDue) this.#report();
  }

  /** Its CPU stands still, and it says nothing. Nobody talks to it meanwhile. */
  pause(): void {
    this.#isPaused = true;
  }

  #boot(): void {
    const { time, chance, behaviour } = this.#options;
    this.#state = 'booting';
    if (kindOf(this.#options.spec.imageDigest) === 'mute') return;
    if (chance.happens(behaviour.brokenBoots)) return;
    time.after(draw(behaviour.boot, chance), () => this.#ready());
  }

  get isStopping(): boolean {
    return this.#state === 'stopping';
  }

  /** It computes, reports and answers. */
  get isHealthy(): boolean {
    return this.#state === 'ready';
  }

  /** How long it has been healthy, in milliseconds. */
  get healthyForMs(): number {
    return this.isHealthy ? this.#options.time.nowMs - this.#readyMs : 0;
  }

  /** A connection has sent a frame and is open. */
  get hasPeer(): boolean {
    return [...this.#peers].some(([wire, peer]) => peer.hasSpoken && wire.isOpen);
  }

  get ramBytes(): number {
    return RAM_IDLE_BYTES + 4096 * this.inFlight;
  }

  /** Its connections are cut. */
  cut(): void {
    for (const wire of [...this.#peers.keys()]) wire.closeFromGuest('read ECONNRESET');
  }

  /** It computes for ever: no report, no pong, no answer. */
  hang(): void {
    if (this.#state !== 'ended') this.#state = 'hung';
  }

  /** Its machine is gone. */
  end(): void {
    this.#state = 'ended';
    this.cut();
    this.#queue.length = 0;
    this.#working = undefined;
  }

  hear(line: string): void {
    if (line.trim() !== 'stop' || this.#state !== 'ready') return;
    this.#state = 'stopping';
    this.#options.stopped(this.#wanted);
    this.#stopIfIdle();
  }

  opened(wire: Wire): void {
    const parser = new FrameParser({
      frame: (type, idLow, idHigh, _op, token, payload) => this.#frame(wire, type, idLow, idHigh, token, payload),
    });
    this.#peers.set(wire, { parser, writer: new FrameWriter(), hasSpoken: false });
  }

  received(wire: Wire, bytes: Uint8Array): void {
    if (this.#state === 'hung' || this.#state === 'ended') return;
    this.#peers.get(wire)?.parser.push(bytes);
  }

  closed(wire: Wire): void {
    this.#peers.delete(wire);
    const orphans = [...this.#queue, ...(this.#working === undefined ? [] : [this.#working])];
    for (const work of orphans) if (work.wire === wire) this.#orphan(work);
  }

  #ready(): void {
    if (this.#state !== 'booting') return;
    const { spec, behaviour, print, time } = this.#options;
    const { ip, port } = spec.address;
    this.#state = 'ready';
    this.#readyMs = time.nowMs;
    this.#reportedMs = time.nowMs;
    const idempotent = behaviour.idempotent ? 1 : 0;
    const says = behaviour.payload === 'bytes' ? `${idempotent} payload=bytes` : idempotent;
    print(
      `shoal1 ready v=1 bind=10.0.2.15/24 addr=${ip}:${port} port=${port} max=${spec.textBytesMax} idempotent=${says} ops=upper`,
    );
    this.#report();
  }

  #report(): void {
    this.#isReportDue = this.#isPaused;
    if (this.#isPaused) return;
    if (this.#state !== 'ready' && this.#state !== 'stopping') {
      // A guest that hangs computes, and says nothing.
      return;
    }
    const { time, spec, print } = this.#options;
    const nowMs = time.nowMs;
    const busyMs = this.#busyMs + (this.#busySinceMs === undefined ? 0 : nowMs - this.#busySinceMs);
    const sinceMs = nowMs - this.#reportedMs;
    const cpu = sinceMs > 0 ? Math.min(100, (100 * busyMs) / sinceMs) : 0;
    this.#busyMs = 0;
    if (this.#busySinceMs !== undefined) this.#busySinceMs = nowMs;
    this.#reportedMs = nowMs;
    this.#sequence += 1;
    print(
      `shoal1 status seq=${this.#sequence} cpu=${cpu.toFixed(1)} ram=${this.ramBytes} inflight=${this.inFlight} served=${this.#served}`,
    );
    time.after(spec.statusIntervalMs, () => this.#report());
  }

  #frame(wire: Wire, type: number, idLow: number, idHigh: number, token: Uint8Array, payload: Uint8Array): void {
    const peer = this.#peers.get(wire);
    if (peer === undefined) return;
    if (!peer.hasSpoken) {
      peer.hasSpoken = true;
      this.#sendKept(wire);
    }
    if (type === FrameType.ping) this.#send(wire, FrameType.pong, idLow, idHigh, token, payload);
    else if (type === FrameType.cancel) this.#cancel(wire, idLow, idHigh);
    else if (type === FrameType.relay) this.#relay(payload);
    else if (type === FrameType.request) this.#request(wire, idLow, idHigh, token, payload);
    else if (type === FrameType.typedRequest) {
      // Behind the content type, whose length stands before it.
      this.#request(wire, idLow, idHigh, token, payload.subarray(1 + (payload[0] ?? 0)), payload);
    }
  }

  /** As the contract says; a guest that is hostile does something else. */
  #relay(payload: Uint8Array): void {
    const { chance, behaviour, onRelay, oldRelays, others, time } = this.#options;
    const line = Buffer.from(payload).toString('latin1');
    const old = [...oldRelays];
    onRelay(line);
    if (!chance.happens(behaviour.hostileRelays ?? 0)) return this.sayRelay(line);
    for (const word of hostileWords(line, old, chance)) {
      const by = word.isHandedOn ? chance.oneOf(others().filter((one) => one !== this)) : this;
      if (word.afterMs === 0) by?.sayRelay(word.line);
      else time.after(word.afterMs, () => by?.sayRelay(word.line));
    }
  }

  /** Prints a line as a relayed command, if it runs. */
  sayRelay(line: string): void {
    if (this.#state === 'ready' || this.#state === 'stopping') this.#options.print(`shoal1 relay ${line}`);
  }

  #request(
    wire: Wire,
    idLow: number,
    idHigh: number,
    tokenBytes: Uint8Array,
    payload: Uint8Array,
    typed?: Uint8Array,
  ): void {
    if (this.#state === 'stopping') return this.#fail(wire, idLow, idHigh, tokenBytes, '503 stopping');
    if (this.inFlight >= QUEUE_MAX) return this.#fail(wire, idLow, idHigh, tokenBytes, '503 busy');
    const token = Buffer.from(tokenBytes).toString('latin1');
    const known = this.#kept.find(({ work }) => work.token === token && token !== '');
    if (known !== undefined) {
      this.#options.note('a guest answers with a kept reply');
      this.#reply(wire, { ...known.work, idLow, idHigh });
      return;
    }
    const same = token === '' ? undefined : [this.#working, ...this.#queue].find((work) => work?.token === token);
    if (same !== undefined && !same.isCancelled) {
      this.#options.note('a guest joins a request with one in work');
      same.joined.push({ idLow, idHigh, wire });
      return;
    }
    const needMs = this.#needMs(payload);
    const asked = { idLow, idHigh, token, tokenBytes, payload, typed };
    this.#queue.push({ ...asked, needMs, wire, isCancelled: false, joined: [] });
    if (this.#working === undefined) this.#workOn();
  }

  #needMs(payload: Uint8Array): number {
    const { chance, behaviour, msPerUnit } = this.#options;
    if (msPerUnit === undefined) return draw(behaviour.service, chance);
    const units = unitsIn(payload);
    return units === undefined ? draw(behaviour.service, chance) : units * msPerUnit;
  }

  /** Requests whose connection is open and that were not cancelled. */
  get #wanted(): number {
    const all = this.#working === undefined ? this.#queue : [this.#working, ...this.#queue];
    return all.filter(({ wire, isCancelled }) => wire?.isOpen === true && !isCancelled).length;
  }

  #workOn(): void {
    const { time, onWork } = this.#options;
    const work = this.#queue.shift();
    this.#working = work;
    if (work === undefined) {
      if (this.#busySinceMs !== undefined) this.#busyMs += time.nowMs - this.#busySinceMs;
      this.#busySinceMs = undefined;
      this.#stopIfIdle();
      return;
    }
    onWork(work.payload);
    this.#busySinceMs ??= time.nowMs;
    time.after(work.needMs, () => this.#worked(work));
  }

  #worked(work: Work): void {
    if (this.#working !== work || this.#state === 'hung' || this.#state === 'ended') return;
    if (work.payload.at(-1) === DEADLY_BYTE) {
      this.#options.note('a guest crashes over a request');
      this.#options.powerOff(CRASH_EXIT_CODE);
      return;
    }
    const kind = kindOf(this.#options.spec.imageDigest);
    if (kind === 'crashing') {
      this.#options.note('a guest of a bad image crashes');
      this.#options.powerOff(CRASH_EXIT_CODE);
      return;
    }
    if (kind === 'failing' || kind === 'wrong') return this.#answerBadly(work, kind);
    this.#served += 1;
    for (const { wire, idLow, idHigh } of work.joined) {
      if (wire?.isOpen === true) this.#reply(wire, { ...work, idLow, idHigh });
    }
    if (work.isCancelled) {
      if (work.wire !== undefined) this.#fail(work.wire, work.idLow, work.idHigh, work.tokenBytes, '499 cancelled');
    } else if (work.wire?.isOpen === true) {
      this.#reply(work.wire, work);
    } else if (work.token !== '') {
      this.#keep(work);
    }
    this.#workOn();
  }

  /** Its image is bad. */
  #answerBadly(work: Work, kind: 'failing' | 'wrong'): void {
    const message = kind === 'failing' ? '502 broken' : '404 unknown operation';
    for (const { wire, idLow, idHigh } of [work, ...work.joined]) {
      if (wire?.isOpen === true) this.#fail(wire, idLow, idHigh, work.tokenBytes, message);
    }
    this.#workOn();
  }

  #cancel(wire: Wire, idLow: number, idHigh: number): void {
    const at = this.#queue.findIndex((work) => work.wire === wire && work.idLow === idLow && work.idHigh === idHigh);
    const [queued] = at < 0 ? [] : this.#queue.splice(at, 1);
    if (queued !== undefined) this.#fail(wire, idLow, idHigh, queued.tokenBytes, '499 cancelled');
    const working = this.#working;
    if (working?.wire !== wire || working.idLow !== idLow || working.idHigh !== idHigh) return;
    working.isCancelled = true;
    this.#worked(working);
  }

  /** Its connection is gone: with a token it is finished all the same. */
  #orphan(work: Work): void {
    work.wire = undefined;
    if (work.token !== '') return;
    const at = this.#queue.indexOf(work);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  #keep(work: Work): void {
    const { time } = this.#options;
    const [newest] = [...this.#peers].filter(([wire, peer]) => peer.hasSpoken && wire.isOpen).slice(-1);
    if (newest !== undefined) {
      this.#options.note('a guest answers over a newer link');
      this.#reply(newest[0], work);
      return;
    }
    this.#kept.push({ work, untilMs: time.nowMs + KEPT_MS });
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
  }

  #sendKept(wire: Wire): void {
    const kept = this.#kept;
    this.#kept = [];
    for (const { work, untilMs } of kept) {
      if (untilMs < this.#options.time.nowMs) continue;
      this.#options.note('a guest sends a kept reply to a new link');
      this.#reply(wire, work);
    }
  }

  #stopIfIdle(): void {
    if (this.#state !== 'stopping' || this.inFlight > 0) return;
    this.#options.print('shoal1 bye reason=stop');
    this.#options.powerOff(STOPPED_EXIT_CODE);
  }

  #reply(wire: Wire, { idLow, idHigh, tokenBytes, payload, typed }: Omit<Work, 'joined' | 'wire'>): void {
    if (typed === undefined) this.#send(wire, FrameType.reply, idLow, idHigh, tokenBytes, payload);
    else this.#send(wire, FrameType.typedReply, idLow, idHigh, tokenBytes, typed);
  }

  #fail(wire: Wire, idLow: number, idHigh: number, token: Uint8Array, message: string): void {
    this.#send(wire, FrameType.error, idLow, idHigh, token, encoder.encode(message));
  }

  #send(
    wire: Wire,
    type: (typeof FrameType)[keyof typeof FrameType],
    idLow: number,
    idHigh: number,
    token: Uint8Array,
    payload: Uint8Array,
  ): void {
    const writer = this.#peers.get(wire)?.writer;
    if (writer === undefined) return;
    writer.append(type, idLow, idHigh, NO_BYTES, token, payload);
    for (const piece of writer.take()) wire.send(piece);
  }
}
