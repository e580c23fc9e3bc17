import type { ActorSystem, Behaviour, Ref } from '../actors/mod.ts';
import { type HostEvent, type LinkMessage, type Outcome, type RouterMessage, router } from '../fleet/mod.ts';
import {
  type ControllerMessage,
  controller,
  type Hypervisor,
  link,
  type VmHome,
  type VmParameters,
} from '../hypervisor/mod.ts';
import { paramsOf, type Store } from '../store/mod.ts';
import { child, supervisor } from '../supervisor/mod.ts';
import { type EndpointMessage, ReplyTokens } from '../transport/mod.ts';
import type { CleanUp } from './clean-up.ts';
import { LateRef } from './late-ref.ts';
import { ledgerPorts } from './ledger.ts';
import type { NewsBoard } from './news-board.ts';
import { noticesTo } from './notices.ts';
import { poolOf, tenanciesOf } from './tables.ts';
import type { UpOptions } from './up-options.ts';

export interface CoreOptions {
  readonly options: UpOptions;
  readonly system: ActorSystem;
  readonly hypervisor: Hypervisor;
  /** Where the actors of VMs live; undefined: on this thread. */
  readonly home: VmHome | undefined;
  readonly parameters: VmParameters;
  readonly store: Store;
  readonly news: NewsBoard;
  readonly logFolder: string;
  readonly tokenKey: Uint8Array;
  /** Publishes replies that outlived the Shoal that asked for them. */
  readonly endpoint: Ref<EndpointMessage>;
}

export interface Core {
  readonly router: Ref<RouterMessage>;
  readonly controller: Ref<ControllerMessage>;
}

/** The router's state is the fleet: one that crashes cannot be put back by itself, so nothing is restarted here. */
const NO_RESTARTS = { intensity: 0, periodMs: 1_000 };
/** Above the sum of what each stage of a VM's end may take. */
const CONTROLLER_STOP_MS = 30_000;

/** Starts controller and router. They know each other: what one sends before the other runs is kept for it. */
export async function startCore(of: CoreOptions, cleanUp: CleanUp): Promise<Core> {
  const { options, system, hypervisor, home, parameters, store, news, logFolder } = of;
  const { host, fresh } = options;
  const tokens = new ReplyTokens(of.tokenKey);
  const events = new LateRef<HostEvent>('/core/router');
  const controllerRef = new LateRef<ControllerMessage>('/core/controller');
  const routerRef = new LateRef<RouterMessage>('/core/router');
  const controllerChild = child<ControllerMessage>({
    id: 'controller',
    start: controller({
      host,
      hypervisor,
      ...(home === undefined ? {} : { home }),
      parameters,
      events,
      logFolder,
      fresh,
      notices: noticesTo(news, host),
    }),
    shutdown: CONTROLLER_STOP_MS,
    onRef: (ref) => controllerRef.bind(ref),
  });
  const routerChild = child<RouterMessage>({
    id: 'router',
    start: router({
      params: paramsOf(store.snapshot()),
      pool: poolOf(store),
      hosts: new Map([[host, controllerRef]]),
      awaitHosts: true,
      held: tenanciesOf(store),
      nextVmId: () => store.nextVmId(),
      news: (one) => news.add(one),
      // The router sends no relays: it is one of those who may, and sends less than a link understands.
      openLink: (target, owner) =>
        link({ target, owner, connect: (address) => hypervisor.connect(address) }) as Behaviour<LinkMessage>,
      late: {
        open: (token) => tokens.open(token),
        publish: (token: Uint8Array, outcome: Outcome) => of.endpoint.tell({ kind: 'late-reply', token, outcome }),
      },
      ...ledgerPorts(store, parameters.imageDigest),
    }),
    onRef: (ref) => {
      events.bind(ref);
      routerRef.bind(ref);
    },
  });
  const root = await system.start(
    supervisor({ strategy: 'one_for_one', ...NO_RESTARTS, children: [controllerChild, routerChild] }),
    { name: 'core', stopTimeoutMs: CONTROLLER_STOP_MS + 5_000 },
  );
  cleanUp.add(() => system.stop(root));
  return { router: routerRef.target, controller: controllerRef.target };
}
