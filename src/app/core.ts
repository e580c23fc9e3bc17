import type { ActorSystem, Behaviour, Ref } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import {
  HOST_MAILBOX_MAX,
  type HostEvent,
  type NeighbourPort,
  type Outcome,
  type RouterMessage,
  router,
} from '../fleet/mod.ts';
import {
  type ControllerMessage,
  controller,
  type Hypervisor,
  httpSettingsOf,
  type ImageProfile,
  KeepAlive,
  type LinkOptions,
  LongWork,
  link,
  type OnStop,
  profileOf,
  RelayDesk,
  type VmHome,
  type VmParameters,
} from '../hypervisor/mod.ts';
import { paramsOf, type Store } from '../store/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import { type EndpointMessage, ReplyTokens } from '../transport/mod.ts';
import { AnsweredRequests } from './answered-requests.ts';
import type { CleanUp } from './clean-up.ts';
import { DeferredRef } from './deferred-ref.ts';
import type { Deploys } from './deploy/deploys.ts';
import type { EventLog } from './event-log.ts';
import { isHanded } from './neighbours.ts';
import { noticesTo } from './notices.ts';
import { afterWrites, storePorts } from './store-writes.ts';
import { poolOf, reservationsOf } from './tables.ts';
import type { FleetOptions } from './up-options.ts';
import type { VmHold } from './vm-hold.ts';

export interface CoreOptions {
  readonly options: FleetOptions;
  readonly system: ActorSystem;
  readonly hypervisor: Hypervisor;
  /** The threads on which VM actors run; undefined: this thread. */
  readonly home: VmHome | undefined;
  readonly parameters: VmParameters;
  /** Which image VMs are started from; without it, always that of the parameters. */
  readonly deploys?: Deploys | undefined;
  readonly store: Store;
  readonly eventLog: EventLog;
  /** Undefined: the logs of guests live in memory only. */
  readonly logFolder: string | undefined;
  readonly tokenKey: Uint8Array;
  readonly hold: VmHold;
  /** The other hosts; undefined: there are none. */
  readonly neighbours?: NeighbourPort | undefined;
  /** Publishes replies that outlived the Shoal that asked for them. */
  readonly endpoint: Ref<EndpointMessage>;
}

export interface Core {
  readonly router: Ref<RouterMessage>;
  readonly controller: Ref<ControllerMessage>;
  /** From now on a stop leaves the VMs running for the next Shoal. */
  keepVms(): void;
}

/** An actor that fails more often than this has a defect that a restart does not mend. */
const RESTARTS = { intensity: 3, periodMs: 60_000 };
/** Above the sum of the limits on the stages of a VM's stop. */
const CONTROLLER_STOP_MS = 30_000;
/** A disk that hangs keeps no fleet from serving: an address that is reserved later is refused to whoever asks for it. */
const DISK_LIMIT_MS = 2_000;
/** A controller that takes longer to answer has failed. */
const ASK_TIMEOUT_MS = 5_000;

/**
 * Starts controller and router. Each has a ref to the other; messages to an actor that has not started yet are kept for it.
 *
 * A router that fails is restarted alone, because the tables and the controller can tell it everything again. A controller that fails is
 * restarted with the router, because the router's view is of the old one.
 */
export async function startCore(of: CoreOptions, cleanUp: CleanUp): Promise<Core> {
  const { system } = of;
  const isRelayed = of.options.control === 'relay';
  const desk = isRelayed ? new RelayDesk(of.tokenKey, system.clock, system.random) : undefined;
  const events = new DeferredRef<HostEvent>('/core/router');
  const controllerRef = new DeferredRef<ControllerMessage>('/core/controller');
  const routerRef = new DeferredRef<RouterMessage>('/core/router');
  const controllerChild = child<ControllerMessage>({
    id: 'controller',
    capacity: HOST_MAILBOX_MAX,
    start: controllerOf(of, events, desk),
    shutdown: CONTROLLER_STOP_MS,
    onRef: (ref) => {
      controllerRef.bind(ref);
      tellFailure(of, ref, 'the controller');
    },
  });
  const routerChild = child<RouterMessage>({
    id: 'router',
    capacity: HOST_MAILBOX_MAX,
    start: routerOf(of, controllerRef, desk),
    onRef: (ref) => {
      events.bind(ref);
      routerRef.bind(ref);
      tellFailure(of, ref, 'the router');
    },
  });
  const root = await system.start(
    supervisor({ strategy: 'rest_for_one', ...RESTARTS, children: [controllerChild, routerChild] }),
    { name: 'core', stopTimeoutMs: CONTROLLER_STOP_MS + 5_000 },
  );
  let onStop: OnStop = 'stop-vms';
  cleanUp.add(async () => {
    // Only a stop that a user asked for ends VMs. A stop because of a defect leaves them for the next Shoal.
    const ask = (replyTo: Ref<true>): ControllerMessage => ({ kind: 'set-on-stop', onStop, replyTo });
    await system.ask(controllerRef.target, ask, ASK_TIMEOUT_MS).catch(() => undefined);
    await system.stop(root);
  });
  return {
    router: routerRef.target,
    controller: controllerRef.target,
    keepVms: () => {
      onStop = 'keep-vms';
    },
  };
}

function controllerOf(
  of: CoreOptions,
  events: Ref<HostEvent>,
  desk: RelayDesk | undefined,
): Behaviour<ControllerMessage> {
  const { hypervisor, home, store, eventLog, logFolder } = of;
  const { host, fresh } = of.options;
  const notices = noticesTo(eventLog, host);
  let isFirst = true;
  return (context) => {
    const { statusIntervalMs, bootTimeoutMs } = of.hold.inForce(paramsOf(store.snapshot()));
    const memoryMib = of.deploys?.memoryMib ?? of.parameters.memoryMib;
    const parameters = { ...of.parameters, statusIntervalMs, bootTimeoutMs, memoryMib };
    // VMs that are found after a restart of the controller belong to this fleet: `fresh` is for the first start.
    const start = controller({
      host,
      hypervisor,
      ...(home === undefined ? {} : { home }),
      parameters,
      ...(of.deploys === undefined ? {} : { imageOf: (digest) => of.deploys?.parametersOf(digest) ?? {} }),
      events,
      ...(logFolder === undefined ? {} : { logFolder }),
      fresh: fresh && isFirst,
      onStop: 'keep-vms',
      notices,
      ...(desk === undefined ? {} : { relayDesk: desk }),
    });
    isFirst = false;
    return start(context);
  };
}

function routerOf(
  of: CoreOptions,
  controllerRef: DeferredRef<ControllerMessage>,
  desk: RelayDesk | undefined,
): Behaviour<RouterMessage> {
  const { hypervisor, parameters, store, eventLog } = of;
  const { host } = of.options;
  const tokens = new ReplyTokens(of.tokenKey);
  const answered = new AnsweredRequests();
  // An administrator's word lasts as long as this Shoal.
  const cordon = { isOn: false };
  const connectionsMax = (): number => {
    const { vmRequestsMax, vmBacklogMax } = paramsOf(store.snapshot());
    return vmRequestsMax + vmBacklogMax;
  };
  const links: LinkOptions = {
    connect: (target) => hypervisor.connect(target),
    // The limit that the guest was given.
    textBytesMax: parameters.textBytesMax,
    keepAlive: new KeepAlive(of.system.clock),
    ...(hypervisor.giveWay === undefined
      ? {}
      : { longWork: new LongWork(of.system.clock, (vm, givesWay) => hypervisor.giveWay?.(vm, givesWay)) }),
  };
  // VMs of two images may run, which need not speak the same protocol. Thousands of one image share what they go by.
  const byProfile = new Map<ImageProfile, LinkOptions>();
  const linksOf = (digest: string | undefined): LinkOptions => {
    const profile = (digest === undefined ? undefined : of.deploys?.profileOf(digest)) ?? profileOf(parameters);
    const known = byProfile.get(profile) ?? {
      ...links,
      payload: profile.payload,
      http: httpSettingsOf(profile, connectionsMax),
    };
    byProfile.set(profile, known);
    return known;
  };
  let routers = 0;
  return async (context) => {
    // What the router before this one was writing counts: a reservation that comes after the look would be nobody's.
    if (routers > 0) await afterWrites(store, of.system.clock, DISK_LIMIT_MS);
    const start = router({
      params: of.hold.inForce(paramsOf(store.snapshot())),
      pool: poolOf(store),
      routing: of.options.routing,
      host,
      controller: controllerRef,
      held: reservationsOf(store),
      cordon,
      census: routers > 0 ? routers : undefined,
      nextVmId: () => store.nextVmId(),
      image: of.deploys?.image,
      deploy: of.deploys?.running,
      onDeploy: (state) => of.deploys?.progressed(state),
      onEvent: (one) => eventLog.add(one),
      onRequest: (step) => eventLog.explanations.seeStep(step),
      openLink: (target, owner) => link(target, owner, linksOf(target.imageDigest)),
      ...(desk === undefined ? {} : { relays: desk }),
      orphanedReplies: {
        open: (token) => tokens.open(token),
        answered: (requestId) => answered.add(requestId),
        hasAnswered: (requestId) => answered.has(requestId),
        publish: (token: Uint8Array, outcome: Outcome) => {
          if (!isHanded(tokens.open(token))) of.endpoint.tell({ kind: 'orphaned-reply', token, outcome });
        },
      },
      ...(of.neighbours === undefined ? {} : { neighbours: of.neighbours }),
      ...storePorts(store, parameters.imageDigest, of.system.clock),
    });
    // The controller reports to the first router by itself. A later router has missed those events.
    if (routers > 0) controllerRef.tell({ kind: 'announce', census: routers });
    routers += 1;
    return start(context);
  };
}

/** The failure of such an actor is told by an event that says more than its path: `failed` or `shard-lost`. */
export function hasOwnEvent(path: string, { code }: ErrorEnvelope): boolean {
  return path === '/core/controller' || path === '/core/router' || code === 'SHARD_LOST';
}

/** The fleet goes on after a failure; the event still shows the defect. */
function tellFailure({ system, eventLog, options }: CoreOptions, ref: Ref<never>, who: string): void {
  void system.ended(ref).then(({ reason }) => {
    if (reason.kind !== 'error') return;
    const { error } = reason;
    eventLog.add({
      atMs: eventLog.nowMs,
      kind: 'failed',
      host: options.host,
      text: `${who} failed: ${error.message}`,
      error,
    });
  });
}
