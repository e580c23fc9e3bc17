import type { ActorSystem } from '../actors/mod.ts';
import { codeOf, messageOf, toEnvelope } from '../errors.ts';
import { type FleetParams, fleetParamsOf, isOfHost, writtenParams } from '../fleet/mod.ts';
import { isRecord } from '../is-record.ts';
import type { KnownParams, ParamsBucket } from '../store/mod.ts';
import { type Connection, callEveryHost, publishWhileOpen, subjectsOf } from '../transport/mod.ts';
import type { CleanUp } from './clean-up.ts';
import type { EventLog } from './event-log.ts';
import { FleetParameters } from './fleet-parameters.ts';
import type { Settings } from './settings.ts';

/** Where the parameters of the whole fleet stand. */
export interface SharedParams {
  readonly bucket: ParamsBucket;
  readonly known: KnownParams;
}

export interface ShareSettingsOptions {
  readonly system: ActorSystem;
  readonly connection: Connection;
  readonly fleet: string;
  readonly host: string;
  readonly eventLog: EventLog;
  readonly settings: Settings;
  readonly shared: SharedParams;
  /** What this start was told to set. */
  readonly params: Readonly<Record<string, number | string>>;
}

/** Below the timeout of the administration call that waits for it. */
const TELL_MS = 1_500;

/** From now on the parameters of this host and those of the fleet follow each other. */
export async function shareSettings(of: ShareSettingsOptions, cleanUp: CleanUp): Promise<void> {
  const { system, connection, fleet, host, eventLog, settings, shared } = of;
  const { nc } = connection;
  const subject = subjectsOf(fleet).params;
  const tellEach = async (verb: string, args: unknown): Promise<readonly string[]> => {
    try {
      const answers = await callEveryHost(nc, fleet, verb, args, { timeoutMs: TELL_MS, clock: system.clock });
      return answers.filter(({ error }) => error !== undefined).map((answer) => answer.host);
    } catch (error) {
      // While this host starts it takes no calls yet.
      if (codeOf(error) === 'FLEET_NOT_RUNNING') return [];
      throw error;
    }
  };
  const parameters = new FleetParameters({
    ...shared,
    host,
    eventLog,
    clock: system.clock,
    random: system.random,
    params: () => settings.params,
    apply: (values) => settings.set(values),
    askHosts: () => ask(of),
    tellHosts: (params) => tellEach('params-adopt', { params: writtenParams(params) }),
    announce: () => publishWhileOpen(nc, subject),
    wanted: Object.fromEntries(Object.entries(of.params).filter(([name]) => !isOfHost(name))),
  });
  const notices = nc.subscribe(subject, {
    callback: (error) => {
      // Without the right to hear of changes, a host sees them at its next look.
      if (error === null) void parameters.look();
    },
  });
  cleanUp.add(async () => {
    parameters.close();
    if (!nc.isClosed()) notices.unsubscribe();
  });
  settings.shareWith({ fleet: parameters, setOnEach: (values) => tellEach('params-own', { values }) });
  await parameters.start();
}

/** What the other hosts know of the parameters. */
async function ask({
  connection,
  fleet,
  host,
  system,
  eventLog,
}: ShareSettingsOptions): Promise<readonly FleetParams[]> {
  const timing = { timeoutMs: TELL_MS, clock: system.clock };
  const answers = await callEveryHost(connection.nc, fleet, 'params-known', undefined, timing).catch(() => []);
  return answers.flatMap((answer) => {
    const params = isRecord(answer.value) ? answer.value['params'] : undefined;
    if (answer.host === host || params === undefined || params === null) return [];
    try {
      return [fleetParamsOf(params)];
    } catch (error) {
      const why = messageOf(error);
      eventLog.warn(
        `parameters of the fleet: what host ${answer.host} knows of them is ignored: ${why}`,
        toEnvelope(error),
      );
      return [];
    }
  });
}
