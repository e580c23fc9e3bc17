import { join } from 'node:path';
import { type ActorSystem, type Ref, systemClock } from '../actors/mod.ts';
import { messageOf } from '../errors.ts';
import type { Address, RouterMessage } from '../fleet/mod.ts';
import {
  type ControllerMessage,
  checkNetwork,
  createQemuHypervisor,
  type Found,
  findProfile,
  type Hypervisor,
  type ImageInfo,
  imagesInUse,
  runtimeRoot,
  specOfImage,
  type VmParameters,
  type VmShards,
} from '../hypervisor/mod.ts';
import { checkOpenFiles, openFilesMax, signalProcess, vmsWithinOpenFiles } from '../process/mod.ts';
import { type ImageStore, imagesIn, natsParamsBucket, openKnownParams, paramsOf, type Store } from '../store/mod.ts';
import type { HttpAddress } from '../transport/mod.ts';
import { accelerator, unmeasuredAccelerator } from './accelerator.ts';
import { adminHandlers } from './admin/mod.ts';
import { askSnapshot, type HasRouter } from './ask-router.ts';
import type { CleanUp } from './clean-up.ts';
import type { DataDir } from './data-dir.ts';
import { bootOnce } from './deploy/boot-once.ts';
import { Deploys } from './deploy/deploys.ts';
import { KeptImages } from './deploy/kept-images.ts';
import { deployHere, type OwnDeploy } from './deploy/own-deploy.ts';
import type { EventLog } from './event-log.ts';
import { FirstReady } from './first-ready.ts';
import { startFleetParts, vmParametersOf } from './fleet-parts.ts';
import { aboutHost } from './hosts.ts';
import { keptImagePath, removeOldImages, removeUnfinishedCopies } from './kept-image.ts';
import type { Nats } from './nats.ts';
import { openProbe, probeTagOf } from './probe.ts';
import { checkBootTimeout, checkMemory } from './profile-params.ts';
import { type QemuOf, qemuChooser } from './qemu.ts';
import { removeEmpty } from './remove-empty.ts';
import type { Settings } from './settings.ts';
import { addressOf, idOf, poolOf, reconcile } from './tables.ts';
import { tokenKey } from './token-key.ts';
import type { FleetOptions } from './up-options.ts';

/** The actors of a fleet, as the rest of the application uses them. */
export interface FleetActors {
  readonly router: Ref<RouterMessage>;
  readonly controller: Ref<ControllerMessage>;
  readonly accelerator: string;
  readonly qemu: string;
  readonly http: HttpAddress | undefined;
  /** From start to ready, at most. */
  readonly bootTimeoutMs: number;
  /** Resolves when `min_vm_count` VMs are ready; rejects if the start gives up (`FirstReady`). */
  readonly firstReady: Promise<void>;
  /** Replaces the image of this host's VMs (`deployHere`). */
  deploy(image: ImageInfo): Promise<OwnDeploy>;
  /** From now on a stop leaves the VMs running for the next Shoal. */
  keepVms(): void;
  /** Refuses the requests in flight and kills the VMs. */
  hurry(): void;
}

export interface FleetDeps {
  readonly options: FleetOptions;
  /** The copy of the image that VMs are started from. */
  readonly image: ImageInfo;
  /** Which image is deployed. */
  readonly images: ImageStore;
  readonly data: DataDir;
  readonly store: Store;
  readonly system: ActorSystem;
  readonly nats: Nats;
  readonly eventLog: EventLog;
  /** Undefined if VM actors run on the main thread. */
  readonly onShards: VmShards | undefined;
  /** Ends this Shoal as Ctrl-C does. */
  readonly onDown: () => void;
}

const SNAPSHOT_TIMEOUT_MS = 4_000;
const NOBODY: Ref<true> = { path: 'nobody', tell: () => true };

/** The images of the VMs that the router knows, adopted ones among them. */
async function imagesServing(home: HasRouter): Promise<readonly string[]> {
  const { vms } = await askSnapshot(home, SNAPSHOT_TIMEOUT_MS);
  return vms.flatMap(({ image_digest: digest }) => digest ?? []);
}

/** Starts the actors of a fleet on this host's QEMU. */
export async function startFleet(deps: FleetDeps, cleanUp: CleanUp): Promise<FleetActors> {
  const { options, data, store, system, nats, eventLog, onShards } = deps;
  const hypervisor = createQemuHypervisor({ fleetTag: data.tag, spawner: nats.launcher });
  cleanUp.add(() => removeEmpty(join(runtimeRoot(), data.tag), join(runtimeRoot(), probeTagOf(data.tag))));
  const found = await hypervisor.list();
  await reconcile(store, found, options);
  const needed = deps.images.last === undefined ? [] : imagesIn(deps.images.last);
  removeUnfinishedCopies(data);
  const inUse = () => imagesInUse(data.tag);
  removeOldImages(data, [deps.image.digest, ...needed], await inUse());
  const { parameters, why, qemuOf } = await vmParameters(deps, found);
  eventLog.publishOn(nats.connection.nc, options.fleet);
  tellOpenFilesLimit(eventLog, poolOf(store).length);
  const first = new FirstReady({
    vms: options.role === 'server' ? 0 : paramsOf(store.snapshot()).minVmCount,
    addresses: poolOf(store).length,
    clock: systemClock,
    onWait: options.onProgress,
  });
  cleanUp.add(() => first.close());
  eventLog.listen((one) => first.see(one));
  const logFolder = data.folder('logs');
  const { deploys, kept } = await deploysOf(deps, { hypervisor, parameters, qemuOf }, found, needed);
  // Those of the core, once it is there.
  let settings: Pick<Settings, 'holdsVms'> = { holdsVms: false };
  cleanUp.add(() => deploys.close());
  const known = await openKnownParams(join(data.path, `fleet-params-${options.fleet}.json`), (error) =>
    eventLog.warn(messageOf(error)),
  );
  const { core, http } = await startFleetParts(
    {
      options,
      system,
      hypervisor,
      home: onShards?.home,
      parameters,
      deploys,
      store,
      eventLog,
      logFolder,
      tokenKey: await tokenKey(data.path),
      connection: nats.connection,
      about: aboutHost(data.path),
      shared: { bucket: natsParamsBucket(nats.connection.nc, options.fleet), known },
      handlers: (core, own) => {
        settings = own;
        return adminHandlers({
          ...core,
          system,
          store,
          settings: own,
          eventLog,
          logFolder,
          options,
          parameters,
          shards: onShards?.shards,
          data,
          deploys,
          inUse,
          profileOf: (digest) => findProfile(keptImagePath(data, digest), {}).catch(() => undefined),
          why,
          onDown: deps.onDown,
        });
      },
    },
    cleanUp,
  );
  return {
    ...core,
    accelerator: parameters.accelerator,
    qemu: parameters.qemu?.program ?? '',
    http,
    bootTimeoutMs: parameters.bootTimeoutMs,
    firstReady: first.promise,
    deploy: (image) =>
      deployHere(
        {
          ...{ data, deploys, kept, parameters, settings, inUse },
          serving: () => imagesServing({ system, router: core.router }),
        },
        image,
      ),
    hurry: () => {
      core.router.tell({ kind: 'drain', limitMs: 0, replyTo: NOBODY });
      // A VM whose directory goes meanwhile is being ended already.
      void killAll(hypervisor).catch(() => undefined);
    },
  };
}

async function deploysOf(
  deps: FleetDeps,
  { hypervisor, parameters, qemuOf }: { hypervisor: Hypervisor; parameters: VmParameters; qemuOf: QemuOf },
  found: readonly Found[],
  needed: readonly string[],
): Promise<{ readonly deploys: Deploys; readonly kept: KeptImages }> {
  const { options, image, images, data, store, nats, eventLog } = deps;
  const kept = new KeptImages({
    data,
    params: () => paramsOf(store.snapshot()),
    acceleratorOf: async (one) => {
      // The present one is the best guess until the next start measures.
      const guess = one.profile.accelerators.includes(parameters.accelerator) ? parameters.accelerator : undefined;
      return unmeasuredAccelerator(one, options.accelerator, options, guess);
    },
    qemuOf: (profile, accelerator) => qemuOf({ profile, accelerator }),
  });
  kept.add(image, parameters);
  const running = found.flatMap((one) => (one.kind === 'running' ? [one.manifest.spec.imageDigest] : []));
  for (const digest of new Set([...needed, ...running])) {
    await kept.load(digest).catch((error: unknown) => {
      // Only a deploy that runs starts others than the image of this start.
      const { deploy } = images.last ?? {};
      if (deploy?.ended_ms === null && (digest === deploy.image || digest === deploy.before)) throw error;
    });
  }
  const deploys = new Deploys({
    store: images,
    clock: systemClock,
    host: options.host,
    image: image.digest,
    kept,
    check: async (digest, signal) => {
      const one = await kept.load(digest);
      const params = paramsOf(store.snapshot());
      checkBootTimeout(params, one.image.profile);
      checkMemory(params, one.image);
      // A host without VMs may have no QEMU either.
      if (options.role === 'server') return;
      const probe = await openProbe(data.tag, nats.launcher);
      await bootOnce({
        ...one,
        network: options.network ?? 'user',
        hypervisor,
        probe,
        params,
        clock: systemClock,
        signal,
      });
    },
    onEvent: (event) => eventLog.add(event),
  });
  return { deploys, kept };
}

async function vmParameters(
  { options, image, data, store, nats }: FleetDeps,
  found: readonly Found[],
): Promise<{ parameters: VmParameters; why: string; qemuOf: QemuOf }> {
  const network = options.network ?? 'user';
  checkNetwork(network, image.profile, options.image);
  checkMemory(paramsOf(store.snapshot()), image);
  // A program that is not there is refused before seconds go into a measurement.
  const qemuOf = await qemuChooser(options, network);
  const chosen = await accelerator(options, image, data.tag, nats.launcher, qemuOf, freeAddress(store, found));
  const { profile } = image;
  const qemu = qemuOf({ profile, accelerator: chosen.accelerator });
  // Wherever there is a choice.
  const isChoice = network === 'none' || (options.qemu ?? 'auto') !== 'auto';
  if (isChoice && qemu !== undefined) options.onProgress(`new VMs run on ${qemu.program}: ${qemu.why}`);
  const made = { ...specOfImage(image), accelerator: chosen.accelerator, network, qemu };
  return { parameters: vmParametersOf(store, made), why: chosen.why, qemuOf };
}

/** At the limit no more VMs start. The operator should learn that now and not under load. @throws OPEN_FILES_LIMIT if none would */
function tellOpenFilesLimit(eventLog: EventLog, addresses: number): void {
  if (addresses > 0) checkOpenFiles(0);
  const vms = vmsWithinOpenFiles();
  if (vms >= addresses) return;
  eventLog.warn(
    `the limit of ${openFilesMax()} open files allows ${vms} VMs, and the pool has ${addresses} addresses; raise it with \`ulimit -n\``,
  );
}

/** An address without a running VM; undefined if there is none. */
function freeAddress(store: Store, found: readonly Found[]): Address | undefined {
  const there = new Set(found.flatMap(idOf));
  const row = store.snapshot().ip_pool.find((one) => one.vm === null || !there.has(one.vm));
  return row === undefined ? undefined : addressOf(row);
}

async function killAll(hypervisor: Hypervisor): Promise<void> {
  for (const found of await hypervisor.list()) {
    const process =
      found.kind === 'running' ? found.manifest.process : found.kind === 'orphan' ? found.process : undefined;
    if (process !== undefined) signalProcess(process, 'SIGKILL');
  }
}
