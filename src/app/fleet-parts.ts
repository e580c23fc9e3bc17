import type { Ref } from '../actors/mod.ts';
import { MEMORY_MIB, STOP_LIMITS, type VmParameters } from '../hypervisor/mod.ts';
import { paramsOf, type Store } from '../store/mod.ts';
import type { AdminHandler, Connection, EndpointMessage } from '../transport/mod.ts';
import type { CleanUp } from './clean-up.ts';
import { type Core, type CoreOptions, startCore } from './core.ts';
import { DeferredRef } from './deferred-ref.ts';
import { startFront } from './front.ts';
import { Settings } from './settings.ts';

/** The largest text: a NATS message's default limit, headers included. */
const TEXT_BYTES_MAX = 1024 * 1024;

/** How VMs are made of an image, by the parameters in the tables. */
export function vmParametersOf(
  store: Store,
  made: Pick<VmParameters, 'image' | 'imageDigest' | 'accelerator'>,
): VmParameters {
  const { statusIntervalMs, bootTimeoutMs } = paramsOf(store.snapshot());
  return {
    ...made,
    memoryMib: MEMORY_MIB,
    statusIntervalMs,
    bootTimeoutMs,
    textBytesMax: TEXT_BYTES_MAX,
    stopLimits: STOP_LIMITS,
  };
}

/** What the parts of a fleet need, in production and in a simulation. */
export interface FleetPartsOptions extends Omit<CoreOptions, 'endpoint'> {
  readonly connection: Connection;
  /** What the administration answers, once the parts that it asks are there. */
  readonly handlers: (core: Core, settings: Settings) => Readonly<Record<string, AdminHandler>>;
}

export interface FleetParts {
  readonly core: Core;
  readonly settings: Settings;
}

/** Starts controller, router, administration and endpoint, in this order, and joins them. */
export async function startFleetParts(of: FleetPartsOptions, cleanUp: CleanUp): Promise<FleetParts> {
  const { system, store, connection, tokenKey, options, handlers } = of;
  const endpoint = new DeferredRef<EndpointMessage>('/front/endpoint');
  const core = await startCore({ ...of, endpoint }, cleanUp);
  const settings = new Settings(store, core.router, core.controller, endpoint);
  const front = {
    ...{ system, connection, tokenKey },
    fleet: options.fleet,
    router: core.router,
    deadlineMs: () => settings.params.deadlineMs,
    handlers: handlers(core, settings),
    onEndpoint: (ref: Ref<EndpointMessage>): void => endpoint.bind(ref),
  };
  await startFront(front, cleanUp);
  return { core, settings };
}
