import type { ActorSystem, Behaviour, Ref } from '../actors/mod.ts';
import { type HostEvent, type LinkMessage, type News, type RouterMessage, router } from '../fleet/mod.ts';
import {
  type ControllerMessage,
  controller,
  createQemuHypervisor,
  type HostNotice,
  type Hypervisor,
  inspectImage,
  link,
  MEMORY_MIB,
  STOP_LIMITS,
  type VmParameters,
} from '../hypervisor/mod.ts';
import { type Spawner, signalProcess } from '../process/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import { type EndpointMessage, endpoint, serveAdmin } from '../transport/mod.ts';
import { accelerator } from './accelerator.ts';
import { adminHandlers } from './admin.ts';
import type { CleanUp } from './clean-up.ts';
import type { DataDir } from './data-dir.ts';
import { FirstReady } from './first-ready.ts';
import { LateRef } from './late-ref.ts';
import type { Nats } from './nats.ts';
import { tokenKey } from './token-key.ts';
import type { UpOptions } from './up-options.ts';
import { version } from './version.ts';
import { VmIds } from './vm-ids.ts';

/** The actors that make the fleet, and what the rest of the application needs of them. */
export interface FleetActors {
  readonly router: Ref<RouterMessage>;
  readonly accelerator: string;
  /** Resolves when the VMs that are kept running are ready; rejects if they cannot be. */
  readonly firstReady: Promise<void>;
  /** Ends requests and VMs at once. */
  hurry(): void;
}

/** Largest text: what a NATS message takes by default, its headers included. */
const TEXT_BYTES_MAX = 1024 * 1024;
/** The router's state is the fleet: one that crashes cannot be put back by itself, so nothing is restarted here. */
const NO_RESTARTS = { intensity: 0, periodMs: 1_000 };
const ENDPOINT_RESTARTS = { intensity: 5, periodMs: 60_000 };
const DRAIN_LIMIT_MS = 5_000;
/** Above the sum of what each stage of a VM's end may take. */
const CONTROLLER_STOP_MS = 30_000;
const ENDPOINT_STOP_MS = DRAIN_LIMIT_MS + 2_000;

/** Starts controller, router, endpoint and administration. */
export async function startFleet(
  options: UpOptions,
  data: DataDir,
  system: ActorSystem,
  nats: Nats,
  cleanUp: CleanUp,
): Promise<FleetActors> {
  const hypervisor = createQemuHypervisor({ fleetTag: data.tag, spawner: nats.launcher });
  const parameters = await vmParameters(options, data.tag, nats.launcher);
  const first = new FirstReady(options.params.minVmCount, options.pool.length);
  const onNews = (news: News): void => {
    first.see(news);
    options.onNews(news);
  };
  const core = await startCore(options, data, system, hypervisor, parameters, onNews, cleanUp);
  const front = new LateRef<EndpointMessage>('/front/endpoint');
  await startEndpoint(options, data, system, nats, core.router, front, cleanUp);
  const handlers = adminHandlers(system, core.router, core.controller, data.folder('logs'));
  const admin = await serveAdmin(nats.connection.nc, options.fleet, handlers);
  cleanUp.add(() => admin.close());
  return {
    router: core.router,
    accelerator: parameters.accelerator,
    firstReady: first.promise,
    hurry: () => {
      core.router.tell({ kind: 'drain-limit' });
      void killAll(hypervisor);
    },
  };
}

async function vmParameters(options: UpOptions, tag: string, spawner: Spawner): Promise<VmParameters> {
  const image = await inspectImage(options.image);
  const chosen = await accelerator(options, image, tag, spawner);
  return {
    image: options.image,
    imageDigest: image.digest,
    accelerator: chosen.accelerator,
    memoryMib: MEMORY_MIB,
    statusIntervalMs: options.params.statusIntervalMs,
    bootTimeoutMs: options.params.bootTimeoutMs,
    textBytesMax: TEXT_BYTES_MAX,
    stopLimits: STOP_LIMITS,
  };
}

interface Core {
  readonly router: Ref<RouterMessage>;
  readonly controller: Ref<ControllerMessage>;
}

/** The controller first: what it finds running is in the router's mailbox before the router decides anything. */
async function startCore(
  options: UpOptions,
  data: DataDir,
  system: ActorSystem,
  hypervisor: Hypervisor,
  parameters: VmParameters,
  onNews: (news: News) => void,
  cleanUp: CleanUp,
): Promise<Core> {
  const { host, params, pool } = options;
  const logFolder = data.folder('logs');
  const ids = await VmIds.after(hypervisor, logFolder);
  const events = new LateRef<HostEvent>('/core/router');
  const controllerRef = new LateRef<ControllerMessage>('/core/controller');
  const routerRef = new LateRef<RouterMessage>('/core/router');
  const notices: Ref<HostNotice> = {
    path: '/core/notices',
    tell: (notice) => {
      onNews(noticeNews(notice, host));
      return true;
    },
  };
  const root = await system.start(
    supervisor({
      strategy: 'one_for_one',
      ...NO_RESTARTS,
      children: [
        child<ControllerMessage>({
          id: 'controller',
          start: controller({ host, hypervisor, parameters, events, notices, logFolder }),
          shutdown: CONTROLLER_STOP_MS,
          onRef: (ref) => controllerRef.bind(ref),
        }),
        child<RouterMessage>({
          id: 'router',
          start: router({
            params,
            pool,
            hosts: new Map([[host, controllerRef]]),
            nextVmId: () => ids.next(),
            news: onNews,
            openLink: (target, owner) =>
              // The router sends no relays: it is one of those who may, and sends less than a link understands.
              link({ target, owner, connect: (address) => hypervisor.connect(address) }) as Behaviour<LinkMessage>,
            // Until the tables stand the manifest, which is on disk before QEMU is started, is what remembers an address.
            reserve: () => Promise.resolve(),
          }),
          onRef: (ref) => {
            events.bind(ref);
            routerRef.bind(ref);
          },
        }),
      ],
    }),
    { name: 'core', stopTimeoutMs: CONTROLLER_STOP_MS + 5_000 },
  );
  cleanUp.add(() => system.stop(root));
  return { router: routerRef.target, controller: controllerRef.target };
}

async function startEndpoint(
  options: UpOptions,
  data: DataDir,
  system: ActorSystem,
  { connection }: Nats,
  routerRef: Ref<RouterMessage>,
  front: LateRef<EndpointMessage>,
  cleanUp: CleanUp,
): Promise<void> {
  const start = endpoint({
    nc: connection.nc,
    fleet: options.fleet,
    version: version(),
    router: routerRef,
    tokenKey: await tokenKey(data.path),
    deadlineMs: options.params.deadlineMs,
    drainLimitMs: DRAIN_LIMIT_MS,
  });
  const children = [child({ id: 'endpoint', start, shutdown: ENDPOINT_STOP_MS, onRef: (ref) => front.bind(ref) })];
  const root = await system.start(supervisor({ strategy: 'one_for_one', ...ENDPOINT_RESTARTS, children }), {
    name: 'front',
  });
  cleanUp.add(() => system.stop(root));
}

function noticeNews(notice: HostNotice, host: string): News {
  const atMs = Date.now();
  if (notice.kind === 'unknown-found') {
    return { atMs, kind: 'unidentified', host, text: `${notice.directory} is left alone: ${notice.why}` };
  }
  return { atMs, kind: 'unidentified', host, vm: notice.vm, text: `VM ${notice.vm} is left alone: ${notice.why}` };
}

async function killAll(hypervisor: Hypervisor): Promise<void> {
  for (const found of await hypervisor.list()) {
    if (found.kind === 'running' && found.manifest.process !== undefined)
      signalProcess(found.manifest.process, 'SIGKILL');
  }
}
