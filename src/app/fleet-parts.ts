import type { Ref } from '../actors/mod.ts';
import { profileOf, STOP_LIMITS, type VmParameters } from '../hypervisor/mod.ts';
import { type Hosts, natsPort } from '../remote/mod.ts';
import { paramsOf, type Store } from '../store/mod.ts';
import {
  type AdminHandler,
  type Connection,
  type EndpointMessage,
  type Health,
  type HttpAddress,
  ReplyTokens,
} from '../transport/mod.ts';
import { askSnapshot } from './ask-router.ts';
import type { CleanUp } from './clean-up.ts';
import { type Core, type CoreOptions, startCore } from './core.ts';
import { DeferredRef } from './deferred-ref.ts';
import { startFront } from './front.ts';
import { type StartHostsOptions, startHosts } from './hosts.ts';
import { LostHosts } from './lost-hosts.ts';
import { neighboursOn } from './neighbours.ts';
import { OrderlyLeave } from './orderly-leave.ts';
import { checkBootTimeout, memoryMibFor, withProfile } from './profile-params.ts';
import { Settings } from './settings.ts';
import { type SharedParams, shareSettings } from './shared-settings.ts';
import { VmHold } from './vm-hold.ts';

/** The largest text: a NATS message's default limit, headers included. */
const TEXT_BYTES_MAX = 1024 * 1024;
/** A health check that takes longer tells that the router is away. */
const HEALTH_MS = 1_000;

/** How VMs are made of an image, by the parameters in the tables. */
export function vmParametersOf(
  store: Store,
  made: Omit<VmParameters, 'memoryMib' | 'statusIntervalMs' | 'bootTimeoutMs' | 'textBytesMax' | 'stopLimits'>,
): VmParameters {
  const params = paramsOf(store.snapshot());
  const profile = profileOf(made);
  checkBootTimeout(params, profile);
  return {
    ...made,
    memoryMib: memoryMibFor(params, profile),
    statusIntervalMs: params.statusIntervalMs,
    bootTimeoutMs: withProfile(params, profile).bootTimeoutMs,
    textBytesMax: TEXT_BYTES_MAX,
    stopLimits: STOP_LIMITS,
  };
}

/** What the parts of a fleet need, in production and in a simulation. */
export interface FleetPartsOptions extends Omit<CoreOptions, 'hold' | 'endpoint' | 'neighbours'> {
  readonly connection: Connection;
  /** What other hosts call this one in errors (`aboutHost`); default: nothing. */
  readonly about?: string;
  /** Default: this host knows of no parameters but its own. */
  readonly shared?: SharedParams;
  /** Signs of life among the hosts; default: those of `joinHosts`. */
  readonly beats?: StartHostsOptions['beats'];
  /** What the administration answers, once the parts that it asks are there. */
  readonly handlers: (core: Core, settings: Settings, hosts: Hosts) => Readonly<Record<string, AdminHandler>>;
}

export interface FleetParts {
  readonly core: Core;
  readonly settings: Settings;
  /** This host among those of its fleet. */
  readonly hosts: Hosts;
  /** Where requests come over HTTP; undefined if they do not. */
  readonly http: HttpAddress | undefined;
}

/** Joins the other hosts, then starts controller, router, administration and endpoint, in this order, and joins them. */
export async function startFleetParts(of: FleetPartsOptions, cleanUp: CleanUp): Promise<FleetParts> {
  const { system, store, connection, tokenKey, options, handlers, eventLog } = of;
  const { fleet, host } = options;
  const { about, beats } = of;
  const known = { ...(about === undefined ? {} : { about }), ...(beats === undefined ? {} : { beats }) };
  const lost = new LostHosts(system.clock);
  const port = natsPort(connection.nc);
  const hosts = startHosts({ system, port, fleet, host, eventLog, lost, ...known }, cleanUp);
  const hold = new VmHold(options.role === 'server', profileOf(of.parameters));
  const endpoint = new DeferredRef<EndpointMessage>('/front/endpoint');
  const tokens = new ReplyTokens(tokenKey);
  const neighbours = neighboursOn({
    hosts,
    port,
    connection,
    clock: system.clock,
    tokens,
    onTakenBack: (homes) =>
      eventLog.warn(
        `the NATS server has not confirmed replies to requests of ${homes.join(', ')} for 2 s: the connection was reset, and they go by way of ` +
          `${homes.length === 1 ? 'that host' : 'those hosts'}`,
      ),
  });
  const core = await startCore({ ...of, endpoint, neighbours, hold }, cleanUp);
  const leave = new OrderlyLeave(system, core.router);
  cleanUp.add(async () => {
    await leave.finish();
    // The end of the VMs takes its time, and what others handed on meanwhile would be lost.
    hosts.leave();
  });
  const settings = new Settings(store, core.router, core.controller, endpoint, hold);
  of.deploys?.attach({ ...core, system, settings });
  if (of.shared !== undefined) {
    const { params } = options;
    await shareSettings({ system, connection, fleet, host, eventLog, settings, shared: of.shared, params }, cleanUp);
  }
  const health = async (): Promise<Health> => {
    const { vms, cordoned } = await askSnapshot({ system, router: core.router }, HEALTH_MS);
    const ready = vms.filter(({ state }) => state === 'ready').length;
    return { isServing: !cordoned, text: `host ${host}: ${cordoned ? 'cordoned' : 'serving'}, ready VMs: ${ready}` };
  };
  const front = {
    ...{ system, connection, tokenKey },
    fleet,
    host: { name: host, others: () => ({ up: hosts.peers().map((peer) => peer.host), lost: lost.names }) },
    takesRequests: options.role !== 'controller',
    router: core.router,
    deadlineMs: () => settings.params.deadlineMs,
    handlers: handlers(core, settings, hosts),
    onEndpoint: (ref: Ref<EndpointMessage>): void => endpoint.bind(ref),
  };
  const { http } = options;
  const door = http === undefined ? {} : { http: { address: http, bytesMax: TEXT_BYTES_MAX, health } };
  const { http: listens } = await startFront({ ...front, ...door }, cleanUp);
  cleanUp.add(() => leave.begin());
  return { core, settings, hosts, http: listens };
}
