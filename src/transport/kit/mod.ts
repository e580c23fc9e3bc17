export { findNatsServer } from '../own-server/program.ts';
export { directSpawner } from './direct-spawner.ts';
export type { RealNatsServer, RealNatsServerOptions } from './real-nats-server.ts';
export { realNatsServer } from './real-nats-server.ts';
export { securedNatsServer } from './secured-nats-server.ts';
export type { ServedFleet, ServedFleetOptions } from './served-fleet.ts';
export { processed, servedFleet } from './served-fleet.ts';
export type { UserJwt } from './user-jwt.ts';
export { userJwt } from './user-jwt.ts';
