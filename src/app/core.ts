import type { ActorSystem, Behaviour, Ref } from '../actors/mod.ts';
import { type HostEvent, type LinkMessage, type Outcome, type RouterMessage, router } from '../fleet/mod.ts';
import {
  type ControllerMessage,
  controller,
  type Hypervisor,
  link,
  type OnStop,
  type VmHome,
  type VmParameters,
} from '../hypervisor/mod.ts';
import { paramsOf, type Store } from '../store/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import { type EndpointMessage, ReplyTokens } from '../transport/mod.ts';
import { AnsweredRequests } from './answered-requests.ts';
import type { CleanUp } from './clean-up.ts';
import { DeferredRef } from './deferred-ref.ts';
import type { EventLog } from './event-log.ts';
import { noticesTo } from './notices.ts';
import { storePorts } from './store-writes.ts';
import { poolOf, reservationsOf } from './tables.ts';
import type { FleetOptions } from './up-options.ts';

export interface CoreOptions {
  readonly options: FleetOptions;
  readonly system: ActorSystem;
  readonly hypervisor: Hypervisor;
  /** Where the actors of VMs live; undefined: on this thread. */
  readonly home: VmHome | undefined;
  readonly parameters: VmParameters;
  readonly store: Store;
  readonly eventLog: EventLog;
  readonly logFolder: string;
  readonly tokenKey: Uint8Array;
  /** Publishes replies that outlived the Shoal that asked for them. */
  readonly endpoint: Ref<EndpointMessage>;
}

export interface Core {
  readonly router: Ref<RouterMessage>;
  readonly controller: Ref<ControllerMessage>;
  /** A stop from now on leaves the VMs to the next Shoal. */
  keepVms(): void;
}

/** More is no accident: whoever keeps failing must not take the fleet through the same again and again. */
const RESTARTS = { intensity: 3, periodMs: 60_000 };
/** Above the sum of what each stage of a VM's end may take. */
const CONTROLLER_STOP_MS = 30_000;
/** A controller that does not answer by then has failed. */
const ASK_TIMEOUT_MS = 5_000;

/**
 * Starts controller and router. They know each other: what one sends before the other runs is kept for it.
 *
 * What the router knows it can be told again, by the tables and by the controller; so it is restarted alone. The controller knows
 * what runs by looking; a router beside a new controller is a new one too.
 */
export async function startCore(of: CoreOptions, cleanUp: CleanUp): Promise<Core> {
  const { system } = of;
  const events = new DeferredRef<HostEvent>('/core/router');
  const controllerRef = new DeferredRef<ControllerMessage>('/core/controller');
  const routerRef = new DeferredRef<RouterMessage>('/core/router');
  const controllerChild = child<ControllerMessage>({
    id: 'controller',
    start: controllerOf(of, events),
    shutdown: CONTROLLER_STOP_MS,
    onRef: (ref) => {
      controllerRef.bind(ref);
      tellFailure(of, ref, 'the controller');
    },
  });
  const routerChild = child<RouterMessage>({
    id: 'router',
    start: routerOf(of, controllerRef),
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
    // Only a stop that was asked for ends VMs; what ends because of a defect leaves them to whoever comes next.
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

function controllerOf(of: CoreOptions, events: Ref<HostEvent>): Behaviour<ControllerMessage> {
  const { hypervisor, home, store, eventLog, logFolder } = of;
  const { host, fresh } = of.options;
  const notices = noticesTo(eventLog, host);
  let isFirst = true;
  return (context) => {
    const { statusIntervalMs, bootTimeoutMs } = paramsOf(store.snapshot());
    const parameters = { ...of.parameters, statusIntervalMs, bootTimeoutMs };
    // What is found after a crash of ours is this fleet.
    const start = controller({
      host,
      hypervisor,
      ...(home === undefined ? {} : { home }),
      parameters,
      events,
      logFolder,
      fresh: fresh && isFirst,
      onStop: 'keep-vms',
      notices,
    });
    isFirst = false;
    return start(context);
  };
}

function routerOf(of: CoreOptions, controllerRef: DeferredRef<ControllerMessage>): Behaviour<RouterMessage> {
  const { hypervisor, parameters, store, eventLog } = of;
  const { host } = of.options;
  const tokens = new ReplyTokens(of.tokenKey);
  const answered = new AnsweredRequests();
  let isFirst = true;
  return (context) => {
    const start = router({
      params: paramsOf(store.snapshot()),
      pool: poolOf(store),
      routing: of.options.routing,
      host,
      controller: controllerRef,
      held: reservationsOf(store),
      nextVmId: () => store.nextVmId(),
      onEvent: (one) => eventLog.add(one),
      // The router sends no relays: it is one of those who may, and sends less than a link understands.
      openLink: (target, owner) =>
        link({
          target,
          owner,
          connect: (address) => hypervisor.connect(address),
          // A guest has no more to say than it was told that it may.
          textBytesMax: parameters.textBytesMax,
        }) as Behaviour<LinkMessage>,
      orphanedReplies: {
        open: (token) => tokens.open(token),
        answered: (requestId) => answered.add(requestId),
        hasAnswered: (requestId) => answered.has(requestId),
        publish: (token: Uint8Array, outcome: Outcome) => of.endpoint.tell({ kind: 'orphaned-reply', token, outcome }),
      },
      ...storePorts(store, parameters.imageDigest),
    });
    // The first one is told by itself what there is; what came for this one's predecessor is lost.
    if (!isFirst) controllerRef.tell({ kind: 'announce' });
    isFirst = false;
    return start(context);
  };
}

/** That the fleet goes on is no reason to hide a defect. */
function tellFailure({ system, eventLog, options }: CoreOptions, ref: Ref<never>, who: string): void {
  void system.ended(ref).then(({ reason }) => {
    if (reason.kind !== 'error') return;
    const { error } = reason;
    eventLog.add({
      atMs: Date.now(),
      kind: 'failed',
      host: options.host,
      text: `${who} failed: ${error.message}`,
      error,
    });
  });
}
