export type { PoolBackOff, PoolControl, PoolMessage, PoolOptions } from './pool.ts';
export { pool } from './pool.ts';
export type { Listing, ReceptionistMessage, ServiceKey } from './receptionist.ts';
export { receptionist, serviceKey } from './receptionist.ts';
export type { PoolMember, Routing } from './routing.ts';
export { consistentHash, leastBusy, roundRobin } from './routing.ts';
export type { SubscribeTo, TopicMessage } from './topic.ts';
export { topic } from './topic.ts';
