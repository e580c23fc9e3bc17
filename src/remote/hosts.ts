import { addresseeOf, RateLimit, type Ref, randomHex, safe } from '../actors/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';
import { Ears } from './ears.ts';
import { type Beat, decodeFrame, encodeFrame, type Frame } from './frame.ts';
import type { HostInfo, HostStats } from './host-info.ts';
import { type Contender, NameContest } from './name-contest.ts';
import { deadEnd, unknownActor } from './nobody.ts';
import { HAS_LEFT, type HostEvent, type HostSettings, type HostsOptions, settingsOf } from './options.ts';
import { type PairFrame, Peer } from './peer.ts';
import { Relinks } from './relinks.ts';

/** This host in its group. */
export interface Hosts {
  readonly host: string;
  /** Drawn at the start: it tells a restart of the process from a return. */
  readonly incarnation: string;
  /** Why this host is out of the group; undefined while it is in it. */
  readonly ended: ShoalError | undefined;
  /** The other hosts that are up. */
  peers(): readonly HostInfo[];
  /** Tells an actor of all events from now on, and first of each host that is up. Ends with the actor. @returns how to end it */
  subscribe(subscriber: Ref<HostEvent>): () => void;
  /** Offers an actor to other hosts under a name, in place of the one that had it. @returns how to end that */
  expose(name: string, ref: Ref<never>): () => void;
  /**
   * The actor that a host exposes under a name. The ref belongs to this incarnation of the host and this link to it:
   * once the host is lost it is a dead end, also when the host is back.
   * @throws HOST_UNKNOWN if no such host is up
   */
  ref<M>(host: string, name: string): Ref<M>;
  stats(): HostStats;
  /** Gives the link to a host up when the connection, which is to be lost now, is back: what has not arrived never does. */
  relink(host: string): void;
  /** Leaves the group in good order: others are told at once. A second call does nothing. */
  leave(): void;
}

const NOTICE_PERIOD_MS = 10_000;
const INCARNATION_BYTES = 8;
/** A host that was lost is remembered for so many times `lostMs`. */
const REMEMBERED = 10;
const NAME_CHARS_MAX = 200;

/**
 * Joins a group of hosts. Their actors then send to each other, ask and watch each other as on one host. It leaves when
 * the system shuts down.
 * @throws CONFIG_VALUE; ACTOR_STOPPED if the system has shut down; what the port throws
 */
export function joinHosts(options: HostsOptions): Hosts {
  const hosts = new GroupOfHosts(settingsOf(options), options.onEvent);
  // At the top, so that it ends with the system: after the actors that were started later.
  const name = `hosts-${options.group.replaceAll('.', '-')}-${hosts.incarnation}`;
  const guard = options.system.spawn<never>(
    (context) => {
      context.onStop(() => hosts.leave());
      return () => undefined;
    },
    { name },
  );
  try {
    hosts.join();
    // It has nothing to end any more.
    hosts.onEnded(() => void options.system.stop(guard));
  } catch (error) {
    // Its port takes no subscriptions: nothing of it stays.
    void options.system.stop(guard);
    throw error;
  }
  return hosts;
}

class GroupOfHosts implements Hosts {
  readonly host: string;
  readonly incarnation: string;
  readonly #settings: HostSettings;
  readonly #listeners = new Set<(event: HostEvent) => void>();
  readonly #exposed = new Map<string, Ref<never>>();
  readonly #peers = new Map<string, Peer>();
  readonly #byName = new Map<string, Peer>();
  readonly #names: NameContest;
  readonly #ears: Ears;
  readonly #relinks = new Relinks();
  readonly #damaged: RateLimit;
  readonly #ignored: RateLimit;
  readonly #refusals: RateLimit;
  readonly #portRefusals: RateLimit;
  #damagedCount = 0;
  readonly #endings: (() => void)[] = [];
  #ended: ShoalError | undefined;
  /** Since when this host has been in the group without having been away. */
  #sinceMs: number;
  #cancelBeat = (): void => undefined;

  constructor(settings: HostSettings, onEvent: HostsOptions['onEvent']) {
    const { system, group, host } = settings;
    const { clock } = system;
    this.#settings = settings;
    this.host = host;
    this.incarnation = randomHex(system.random, INCARNATION_BYTES);
    this.#names = new NameContest({ ...this.#self, group, latecomersMax: settings.hostsMax });
    this.#sinceMs = clock.monotonic();
    this.#ears = new Ears(this.#sinceMs, settings.beatMs);
    if (onEvent !== undefined) this.#listeners.add(safe(onEvent));
    const limit = { clock, max: 1, periodMs: NOTICE_PERIOD_MS };
    const tellDamaged = (count: number): void => this.#tell({ kind: 'frames-damaged', count });
    this.#damaged = new RateLimit({ ...limit, onOmitted: tellDamaged });
    this.#ignored = new RateLimit({ ...limit, onOmitted: () => undefined });
    this.#refusals = new RateLimit({ ...limit, max: settings.hostsMax, onOmitted: () => undefined });
    this.#portRefusals = new RateLimit({ ...limit, onOmitted: () => undefined });
  }

  /** Listens to the others, and gives the first sign of life. To be called once, when there is somebody to end it. */
  join(): void {
    const { port, group } = this.#settings;
    const rights = `Give this host the right to publish and subscribe to ${group}.>`;
    const stopListening = port.onRefused?.((subject, why) => {
      // The connection may be used for other things, too.
      if (subject.startsWith(`${group}.`)) this.#onPortRefused(subject, why, rights);
    });
    if (stopListening !== undefined) this.#endings.push(stopListening);
    for (const subject of [`${group}.beat`, `${group}.to.${this.incarnation}`]) {
      this.#endings.push(port.subscribe(subject, (bytes) => this.#receive(bytes)));
    }
    this.#endings.push(port.onState((isConnected) => this.#onState(isConnected)));
    this.#beat();
  }

  /** Calls `listener` when this host leaves the group. */
  onEnded(listener: () => void): void {
    this.#endings.push(listener);
  }

  get ended(): ShoalError | undefined {
    return this.#ended;
  }

  peers(): readonly HostInfo[] {
    return [...this.#peers.values()].flatMap(({ host, incarnation, epoch, about, link }) =>
      link === undefined ? [] : [{ host, incarnation, epoch, about }],
    );
  }

  subscribe(subscriber: Ref<HostEvent>): () => void {
    const listener = (event: HostEvent): void => void subscriber.tell(event);
    const actor = addresseeOf(subscriber);
    const end = (): void => {
      this.#listeners.delete(listener);
      actor.unwatch(listener);
    };
    for (const { host, incarnation } of this.peers()) listener({ kind: 'host-up', host, incarnation });
    this.#listeners.add(listener);
    actor.watch(listener, { ended: end });
    return end;
  }

  expose(name: string, ref: Ref<never>): () => void {
    checkName(name);
    addresseeOf(ref);
    this.#exposed.set(name, ref);
    return () => {
      if (this.#exposed.get(name) === ref) this.#exposed.delete(name);
    };
  }

  ref<M>(host: string, name: string): Ref<M> {
    checkName(name);
    if (this.#ended !== undefined) throw this.#ended;
    // Whoever asks by name says what the actor takes.
    return this.#refOf(host, name) as Ref<M>;
  }

  stats(): HostStats {
    const links = [...this.#peers.values()].flatMap(({ link }) => link ?? []);
    const sum = (figure: (link: (typeof links)[number]) => number): number =>
      links.reduce((total, link) => total + figure(link), 0);
    return {
      peers: links.length,
      sent: sum(({ counts }) => counts.sent),
      received: sum(({ counts }) => counts.received),
      refs: sum(({ counts }) => counts.refs),
      waiting: sum(({ unacknowledged }) => unacknowledged),
      doubled: sum(({ stream }) => stream.counts.doubled),
      early: sum(({ stream }) => stream.counts.early),
      resent: sum(({ stream }) => stream.counts.resent),
      damaged: this.#damagedCount,
    };
  }

  relink(host: string): void {
    this.#relinks.add(this.#byName.get(host));
  }

  leave(): void {
    this.#end(new ShoalError('HOST_LOST', `This host (${this.host}) has left the group ${this.#settings.group}`));
  }

  #refOf(host: string, name: string): Ref<never> {
    if (host === this.host) {
      return this.#exposed.get(name) ?? deadEnd(name, unknownActor(name), this.#settings.system);
    }
    const link = this.#byName.get(host)?.link;
    if (link !== undefined) return link.named(name);
    const up = this.peers().map((peer) => peer.host);
    const known = up.length === 0 ? 'no other is' : `these are: ${up.join(', ')}`;
    throw new ShoalError('HOST_UNKNOWN', `Host ${host} is not up in the group ${this.#settings.group}; ${known}`);
  }

  #end(why: ShoalError): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#cancelBeat();
    for (const end of this.#endings) end();
    // The last messages, the ends of the actors that have ended just now, and what has been taken: the others count all
    // else as lost.
    for (const { link } of this.#peers.values()) {
      link?.stream.acknowledge();
      link?.stream.flush();
    }
    this.#publish('beat', { kind: 'bye', host: this.host, from: this.incarnation });
    for (const peer of [...this.#peers.values()]) peer.lose(why.message);
    this.#peers.clear();
    this.#byName.clear();
    this.#damaged.flush();
    this.#ignored.flush();
    this.#refusals.flush();
    this.#portRefusals.flush();
  }

  /** Once a beat: looks at who was heard, and gives a sign of life. */
  #beat(): void {
    const { system, port, beatMs, lostMs, cutOffMs } = this.#settings;
    const { clock } = system;
    this.#cancelBeat = clock.timer(beatMs, () => this.#beat());
    const nowMs = clock.monotonic();
    const heardMs = this.#ears.check(nowMs, port.isConnected);
    const { deafMs, pausedMs } = this.#ears;
    // Meanwhile the others have lost this host, and another may have its name.
    if (deafMs >= lostMs || pausedMs >= lostMs) this.#sinceMs = nowMs;
    this.#sendBeat('beat');
    for (const peer of [...this.#peers.values()]) {
      if (deafMs >= cutOffMs) peer.lose(`this host has been cut off for ${Math.round(deafMs)} ms`);
      else peer.tick(heardMs);
      if (peer.silentMs >= REMEMBERED * lostMs) this.#forget(peer);
    }
  }

  #onState(isConnected: boolean): void {
    if (!isConnected || this.#ended !== undefined) return;
    this.#relinks.connected();
    this.#sendBeat('beat');
    for (const { link } of this.#peers.values()) link?.stream.resend();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return;
    const frame = decodeFrame(bytes);
    switch (frame?.kind) {
      case undefined:
        this.#onDamaged();
        return;
      case 'foreign':
        this.#ignore(`a host speaks version ${frame.version} of the protocol, and this one another`);
        return;
      case 'beat':
        this.#onBeat(frame);
        return;
      case 'bye':
        this.#onBye(frame.from);
        return;
      case 'refuse':
        this.#onRefuse(frame);
        return;
      case 'hello':
      case 'welcome':
      case 'lost':
      case 'data':
        this.#onPairFrame(frame);
        return;
    }
  }

  #onBeat(beat: Beat): void {
    if (beat.from === this.incarnation) return this.#ears.heard() ? this.#sendBeat('beat') : undefined;
    if (beat.host === this.host) this.#contest(beat);
    else if (!beat.isDeaf) this.#peerOf(beat)?.heard();
  }

  #peerOf(beat: Beat): Peer | undefined {
    const { host, from, about } = beat;
    const known = this.#byName.get(host);
    if (known?.incarnation === from) {
      this.#tellLatecomers(host, known);
      return known;
    }
    if (known?.isAlive === true) {
      // Unless the one that is known beats again, it has died, and this is its successor.
      this.#names.came(host, { incarnation: from, about });
      return undefined;
    }
    if (known !== undefined) this.#forget(known);
    const { hostsMax, system, lostMs } = this.#settings;
    if (this.#peers.size >= hostsMax) {
      this.#ignore(`there are more than ${hostsMax} other hosts; set a higher \`hostsMax\``);
      return undefined;
    }
    const peer = new Peer(
      { host, incarnation: from, about },
      {
        system,
        incarnation: this.incarnation,
        limits: this.#settings,
        lostMs,
        payloadBytesMax: () => this.#settings.port.payloadBytesMax,
        exposed: (name) => this.#exposed.get(name),
        send: (to, frame) => this.#publish(`to.${to}`, frame),
        onUp: ({ incarnation }) => this.#tell({ kind: 'host-up', host, incarnation }),
        onLost: ({ incarnation }, error) =>
          this.#tell({ kind: 'host-lost', host, incarnation, error: toEnvelope(error) }),
        onDamaged: () => this.#onDamaged(),
      },
    );
    this.#peers.set(from, peer);
    this.#byName.set(host, peer);
    this.#names.taken(host);
    // It need not wait for the next beat to know this host.
    this.#sendBeat(`to.${from}`);
    return peer;
  }

  #onBye(incarnation: string): void {
    const peer = this.#peers.get(incarnation);
    if (peer === undefined) return;
    peer.lose(HAS_LEFT);
    this.#forget(peer);
  }

  #onPairFrame(frame: PairFrame): void {
    const peer = this.#peers.get(frame.from);
    if (peer !== undefined) peer.receive(frame);
    else if (frame.kind === 'data' && this.#refusals.admits()) {
      const { from, epoch } = frame;
      this.#publish(`to.${from}`, { kind: 'lost', from: this.incarnation, epoch, taken: -1 });
    }
  }

  /** Another host has the name of this one. */
  #contest(beat: Beat): void {
    const other = { incarnation: beat.from, about: beat.about, ageMs: beat.ageMs };
    if (!this.#names.hasRefused(beat.from) && !this.#names.isFirst(this.#ageMs(), other)) {
      this.#beRefused(other);
      return;
    }
    const { host, about } = this.#settings;
    this.#names.came(host, other);
    this.#tellLatecomers(host, this.#self);
    this.#publish(`to.${beat.from}`, { kind: 'refuse', host, from: this.incarnation, about });
  }

  #onRefuse({ host, from, about }: Extract<Frame, { kind: 'refuse' }>): void {
    if (host === this.host && !this.#names.keepsAgainst(from)) this.#beRefused({ incarnation: from, about });
  }

  #beRefused(first: Contender): void {
    const error = this.#names.refusal(this.host, first, this.#self);
    this.#end(error);
    this.#tell({ kind: 'host-refused', host: this.host, incarnation: this.incarnation, error: toEnvelope(error) });
  }

  /** @param first which is there */
  #tellLatecomers(host: string, first: Contender): void {
    for (const latecomer of this.#names.news(host)) {
      const error = toEnvelope(this.#names.refusal(host, first, latecomer));
      this.#tell({ kind: 'host-refused', host, incarnation: latecomer.incarnation, error });
    }
  }

  get #self(): Contender {
    return { incarnation: this.incarnation, about: this.#settings.about };
  }

  #forget(peer: Peer): void {
    this.#peers.delete(peer.incarnation);
    if (this.#byName.get(peer.host) === peer) this.#byName.delete(peer.host);
  }

  /**
   * How long this host has been in the group. One that the others must have lost meanwhile begins anew: another may have its name by now, and
   * of two that each take themselves for the first, both would be refused.
   */
  #ageMs(): number {
    const nowMs = this.#settings.system.clock.monotonic();
    if (this.#ears.uncheckedMs(nowMs) >= this.#settings.lostMs) this.#sinceMs = nowMs;
    return nowMs - this.#sinceMs;
  }

  #sendBeat(to: string): void {
    const { host, about } = this.#settings;
    const { isDeaf } = this.#ears;
    this.#publish(to, { kind: 'beat', host, from: this.incarnation, ageMs: this.#ageMs(), isDeaf, about });
  }

  /** @returns whether there was a connection to publish it over */
  #publish(to: string, frame: Frame): boolean {
    const { port, group } = this.#settings;
    if (!port.isConnected) return false;
    const subject = `${group}.${to}`;
    const bytes = encodeFrame(frame);
    const { payloadBytesMax } = port;
    if (bytes.length > payloadBytesMax) {
      // The limit was lowered since it was written. The host that it is for takes nothing, and is lost in the end.
      const remedy = 'Set a higher max_payload at the NATS server';
      this.#onPortRefused(subject, `a frame of ${bytes.length} bytes is above ${payloadBytesMax} bytes`, remedy);
      return false;
    }
    try {
      port.publish(subject, bytes);
      return true;
    } catch {
      // It was closed a moment ago: what matters is sent anew.
      return false;
    }
  }

  #onPortRefused(subject: string, why: string, remedy: string): void {
    if (!this.#portRefusals.admits()) return;
    const text = `The NATS server does not take ${subject}: ${why}. ${remedy}`;
    const error = new ShoalError('HOST_PORT_REFUSED', text, { details: { subject, why } });
    this.#tell({ kind: 'port-refused', subject, error: toEnvelope(error) });
  }

  #onDamaged(): void {
    this.#damagedCount += 1;
    if (this.#damaged.admits()) this.#tell({ kind: 'frames-damaged', count: 1 });
  }

  #ignore(why: string): void {
    if (this.#ignored.admits()) this.#tell({ kind: 'host-ignored', why });
  }

  #tell(event: HostEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** @throws CONFIG_VALUE */
function checkName(name: string): void {
  if (typeof name === 'string' && name !== '' && name.length <= NAME_CHARS_MAX) return;
  const text = `Expected the name of an exposed actor to be a text of 1 to ${NAME_CHARS_MAX} characters, got \`${name}\``;
  throw new ShoalError('CONFIG_VALUE', text);
}
