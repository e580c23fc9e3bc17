import { type Clock, systemClock } from '../../actors/mod.ts';
import { messageOf } from '../../errors.ts';
import { type Address, formatAddress } from '../../fleet/mod.ts';
import type { GuestFacts } from '../console/formats/line-format.ts';
import { endMachine } from '../end-machine.ts';
import type { Accelerator, Hypervisor, Machine, MachineExit, MachineSpec, QemuBuild, VmNetwork } from '../port.ts';
import { bindOf } from '../profile/command-line.ts';
import type { ImageProfile } from '../profile/profile.ts';
import { QEMU_DEFAULT } from '../qemu/host-tools.ts';
import { type ImageInfo, specOfImage } from '../qemu/image.ts';
import { ProcessFigures } from '../vm/process-figures.ts';
import { type Asker, openAsker } from './asker.ts';
import type { CheckContext } from './check-context.ts';
import { CheckList, type CheckPoint } from './check-point.ts';
import { checkLoad, checkReports } from './check-reports.ts';
import { checkStop } from './check-stop.ts';
import { checkTraffic } from './check-traffic.ts';
import { exitText } from './exit-text.ts';
import { Heard } from './heard.ts';

export interface ImageCheckOptions {
  /** With a fleet tag of its own, because a VM that is checked belongs to no fleet. */
  readonly hypervisor: Hypervisor;
  readonly image: ImageInfo;
  readonly accelerator: Accelerator;
  /** Those of the VMs to come; absent: as in `MachineSpec`. */
  readonly network?: VmNetwork | undefined;
  readonly qemu?: QemuBuild | undefined;
  /** Absent: that of the profile. */
  readonly memoryMib?: number;
  /** A free address. */
  readonly address: Address;
  readonly clock?: Clock;
  /** Told of each point as it is found out. */
  readonly onPoint?: (point: CheckPoint) => void;
  /** Ends the check, and the VM. */
  readonly signal?: AbortSignal;
  /** How long the guest may take to answer; default 5000. */
  readonly stepMs?: number;
}

/** Short, so that reports are soon seen; a profile's guest must be able to keep it. */
const STATUS_INTERVAL_MS = 200;
const TEXT_BYTES_MAX = 1024 * 1024;
const STEP_MS = 5_000;
const MIB = 1024 * 1024;

/**
 * Boots an image once and looks, point by point, whether its guest keeps the contract. The guest may do whatever it
 * likes: each wait has a limit. In the end the VM is gone.
 * @throws only if the check itself fails
 */
export async function checkImage(options: ImageCheckOptions): Promise<readonly CheckPoint[]> {
  const { image, hypervisor, address, accelerator, signal } = options;
  const list = new CheckList(options.onPoint ?? (() => undefined));
  list.ok('file', `${image.bytes + (image.companion?.bytes ?? 0)} bytes, boot "${image.profile.boot}"`);
  const spec: MachineSpec = {
    vm: 1,
    address,
    ...specOfImage(image),
    ...(options.memoryMib === undefined ? {} : { memoryMib: options.memoryMib }),
    accelerator,
    network: options.network,
    qemu: options.qemu,
    statusIntervalMs: STATUS_INTERVAL_MS,
    textBytesMax: TEXT_BYTES_MAX,
  };
  let machine: Machine;
  try {
    machine = await hypervisor.prepare(spec);
  } catch (error) {
    list.failed('start', messageOf(error));
    return list.finish('QEMU did not start');
  }
  list.ok('start', startedText(spec, image.profile));
  const gone = new Promise<MachineExit>((resolve) => machine.onExit(resolve));
  const kill = (): void => machine.signal('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  if (signal?.aborted === true) kill();
  try {
    return await new ImageCheck(options, spec, machine, gone, list).run();
  } finally {
    signal?.removeEventListener('abort', kill);
    await endMachine(machine, gone, options.clock ?? systemClock);
  }
}

function startedText({ accelerator, memoryMib, network, qemu }: MachineSpec, { machine }: ImageProfile): string {
  const over = network === 'none' ? ', no network' : '';
  const on = qemu === undefined || qemu.program === QEMU_DEFAULT ? '' : `, on ${qemu.program}`;
  return `${machine}, ${accelerator}, ${memoryMib} MiB${over}${on}`;
}

class ImageCheck {
  readonly #options: ImageCheckOptions;
  readonly #spec: MachineSpec;
  readonly #machine: Machine;
  readonly #gone: Promise<MachineExit>;
  readonly #list: CheckList;
  readonly #clock: Clock;
  readonly #profile: ImageProfile;
  readonly #heard: Heard;
  readonly #stepMs: number;
  #exit: MachineExit | undefined;

  constructor(
    options: ImageCheckOptions,
    spec: MachineSpec,
    machine: Machine,
    gone: Promise<MachineExit>,
    list: CheckList,
  ) {
    this.#options = options;
    this.#spec = spec;
    this.#machine = machine;
    this.#gone = gone;
    this.#list = list;
    this.#clock = options.clock ?? systemClock;
    this.#profile = options.image.profile;
    this.#stepMs = options.stepMs ?? STEP_MS;
    this.#heard = new Heard(this.#profile.console, this.#facts(), this.#clock);
    machine.onConsole((bytes) => this.#heard.push(bytes));
    void gone.then((exit) => {
      this.#exit = exit;
      this.#heard.isOver = true;
      this.#heard.changed();
    });
  }

  async run(): Promise<readonly CheckPoint[]> {
    const startMs = this.#clock.monotonic();
    try {
      await this.#machine.start();
    } catch (error) {
      // A guest that ends at once takes the monitor's answer with it.
      await this.#heard.until(() => this.#heard.isOver, this.#stepMs);
      if (!this.#heard.isOver) {
        this.#list.failed('ready', messageOf(error));
        return this.#list.finish('its CPU did not start');
      }
    }
    const isReady = this.#profile.console.format === 'none' || (await this.#becomesReady(startMs));
    if (!isReady) return this.#list.finish('it did not become ready');
    const asker = await this.#opens(startMs);
    if (asker === undefined) {
      await this.#ends(undefined);
      return this.#list.finish('it does not answer on its port');
    }
    try {
      const context = this.#context(asker);
      await checkReports(context);
      await checkTraffic(context);
      await checkLoad(context);
    } finally {
      asker.close();
    }
    await this.#ends(this.#exit);
    return this.#list.finish('the VM ended before');
  }

  async #becomesReady(startMs: number): Promise<boolean> {
    const { bootTimeoutMs } = this.#profile;
    const heard = this.#heard;
    await heard.until(() => heard.ready !== undefined, bootTimeoutMs);
    const { ready } = heard;
    if (ready === undefined) {
      const how = heard.isOver
        ? `QEMU ended (${exitText(this.#exit)}) before it was`
        : `not within ${bootTimeoutMs} ms`;
      this.#list.failed('ready', `${how}; ${heard.lastWords}`);
      return false;
    }
    this.#list.ok('ready', `after ${Math.round(heard.readyMs - startMs)} ms`);
    const { textBytesMax } = ready.guest;
    const wrong = [
      ['bind', ready.bind, bindOf(this.#spec)],
      ['addr', ready.addr, formatAddress(this.#spec.address)],
      ['max', String(textBytesMax), String(TEXT_BYTES_MAX)],
    ].find(([, said, told]) => said !== told);
    if (wrong === undefined) this.#list.ok('terms', 'bind, addr and max are those that it was told');
    else this.#list.failed('terms', `it says ${wrong[0]}=${wrong[1]}, and was told ${wrong[2]}`);
    return true;
  }

  /** A guest whose console says nothing is ready once it answers. */
  async #opens(startMs: number): Promise<Asker | undefined> {
    const { hypervisor } = this.#options;
    const isSilent = this.#profile.console.format === 'none';
    const limitMs = isSilent ? this.#profile.bootTimeoutMs : this.#stepMs;
    const endMs = this.#clock.monotonic() + limitMs;
    let why = 'there was no time';
    while (!this.#heard.isOver && this.#clock.monotonic() < endMs) {
      try {
        const tryMs = Math.max(
          1,
          Math.min(isSilent ? SILENT_TRY_MS : this.#stepMs, Math.ceil(endMs - this.#clock.monotonic())),
        );
        const asker = await openAsker(this.#profile, () => hypervisor.connect(this.#spec), tryMs, this.#clock);
        const ms = Math.round(this.#clock.monotonic() - startMs);
        if (isSilent) {
          this.#list.ok('ready', `it answered after ${ms} ms`);
          this.#list.skipped('terms', 'its console says nothing');
        }
        this.#list.ok('link', this.#profile.protocol === 'http' ? 'HTTP is answered' : 'a ping is answered by a pong');
        return asker;
      } catch (error) {
        why = messageOf(error);
      }
      await this.#heard.until(() => false, AGAIN_MS);
    }
    const ended = this.#heard.isOver ? `QEMU ended (${exitText(this.#exit)}); ` : '';
    const failure = `${ended}no answer within ${limitMs} ms on port ${this.#spec.address.port}: ${why}; ${this.#heard.lastWords}`;
    this.#list.failed(isSilent ? 'ready' : 'link', failure);
    return undefined;
  }

  async #ends(exit: MachineExit | undefined): Promise<void> {
    const heard = this.#heard;
    const { refusals, shed } = heard;
    if (refusals !== undefined) this.#list.failed('console', refusals);
    else if (shed === 0) this.#list.ok('console', 'no line was refused or came too fast');
    else this.#list.failed('console', `${heard.shed} lines were dropped because they came too fast`);
    if (exit !== undefined) {
      this.#list.failed('stop', `QEMU ended (${exitText(exit)}) before it was asked to; ${heard.lastWords}`);
      return;
    }
    await checkStop(this.#context(undefined), this.#gone);
  }

  #context(asker: Asker | undefined): CheckContext {
    return {
      list: this.#list,
      heard: this.#heard,
      // Whoever has no connection asks nothing.
      asker: asker ?? NO_ASKER,
      profile: this.#profile,
      spec: this.#spec,
      machine: this.#machine,
      connect: () => this.#options.hypervisor.connect(this.#spec),
      clock: this.#clock,
      stepMs: this.#stepMs,
      found: { answered: 0, tooBusy: undefined },
    };
  }

  #facts(): GuestFacts {
    const ramBytesMax = this.#spec.memoryMib * MIB;
    const figures = new ProcessFigures(() => this.#machine, this.#clock, ramBytesMax);
    return {
      bind: bindOf(this.#spec),
      addr: formatAddress(this.#spec.address),
      textBytesMax: TEXT_BYTES_MAX,
      idempotent: this.#profile.idempotent,
      ramBytesMax,
      measured: () => figures.measured(),
    };
  }
}

/** Before its network is up, nothing answers a connection, and nothing refuses it. */
const SILENT_TRY_MS = 1_000;
/** Between two tries to connect. */
const AGAIN_MS = 100;

const NO_ASKER: Asker = {
  ping: () => Promise.reject(new Error('there is no connection')),
  ask: () => Promise.reject(new Error('there is no connection')),
  close: () => undefined,
};
