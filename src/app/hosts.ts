import { hostname } from 'node:os';
import type { ActorSystem } from '../actors/mod.ts';
import { fromEnvelope } from '../errors.ts';
import { type HostEvent, type HostPort, type Hosts, type HostsOptions, joinHosts } from '../remote/mod.ts';
import { subjectsOf } from '../transport/mod.ts';
import type { CleanUp } from './clean-up.ts';
import type { EventLog } from './event-log.ts';
import type { LostHosts } from './lost-hosts.ts';

export interface StartHostsOptions {
  readonly system: ActorSystem;
  /** The network, as hosts use it. */
  readonly port: HostPort;
  readonly fleet: string;
  readonly host: string;
  /** What others call this host in errors (`aboutHost`); default: nothing. */
  readonly about?: string;
  readonly eventLog: EventLog;
  /** Signs of life among the hosts; default: those of `joinHosts`. */
  readonly beats?: Pick<HostsOptions, 'beatMs' | 'lostMs'>;
  readonly lost: LostHosts;
}

const ABOUT_CHARS_MAX = 200;

/** Which process a host is: for the error that two hosts of one name get. */
export function aboutHost(dataDir: string, machine = hostname(), pid = process.pid): string {
  const text = `process ${pid} on the machine ${machine}, data directory ${dataDir}`.replaceAll(/\p{C}/gu, '?');
  return text.length <= ABOUT_CHARS_MAX ? text : `${text.slice(0, ABOUT_CHARS_MAX - 1)}…`;
}

/**
 * Makes this host one of the fleet: the others know it from now on, and it them. If another host has its name and came first, an actor at
 * the top fails with HOST_NAME_TAKEN, which ends this Shoal.
 */
export function startHosts(of: StartHostsOptions, cleanUp: CleanUp): Hosts {
  const { system, port, fleet, host, about = '', eventLog, lost } = of;
  const refused = system.spawn<HostEvent>(
    () => (event) => {
      if (event.kind === 'host-refused') throw fromEnvelope(event.error);
    },
    { name: 'host-name' },
  );
  const hosts = joinHosts({
    system,
    port,
    group: subjectsOf(fleet).hosts,
    host,
    about,
    ...of.beats,
    onEvent: (event) => {
      if (event.kind === 'host-refused' && event.host === host) {
        // The other one of that name is refused at its own place.
        if (hosts.ended !== undefined) refused.tell(event);
      }
      lost.see(event);
      tell(event, host, eventLog);
    },
  });
  cleanUp.add(() => hosts.leave());
  return hosts;
}

/** An event happens on the host that tells it: others see it otherwise. */
function tell(event: HostEvent, host: string, eventLog: EventLog): void {
  const atMs = eventLog.nowMs;
  switch (event.kind) {
    case 'host-up': {
      eventLog.add({ atMs, kind: 'neighbour-up', host, text: `host ${event.host} is in the fleet` });
      return;
    }
    case 'host-lost': {
      const { error } = event;
      eventLog.add({ atMs, kind: 'neighbour-lost', host, text: error.message, error });
      return;
    }
    case 'host-refused':
    case 'port-refused':
      eventLog.warn(event.error.message, event.error);
      return;
    case 'frames-damaged': {
      const frames = event.count === 1 ? '1 frame' : `${event.count} frames`;
      eventLog.warn(`${frames} of other hosts made no sense and ${event.count === 1 ? 'was' : 'were'} dropped`);
      return;
    }
    case 'host-ignored':
      eventLog.warn(`a host is left alone: ${event.why}`);
      return;
  }
}
