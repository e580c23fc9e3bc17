export type { HostInfo, HostStats } from './host-info.ts';
export { type Hosts, joinHosts } from './hosts.ts';
export { type NatsLike, natsPort } from './nats-port.ts';
export type { HostEvent, HostsOptions } from './options.ts';
export { HAS_LEFT } from './options.ts';
export { GIVEN_UP } from './peer.ts';
export type { HostPort } from './port.ts';
export { RELINKED } from './relinks.ts';
