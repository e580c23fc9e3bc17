export { Delivery } from './delivery.ts';
export { Exports } from './exports.ts';
export { holdImports, Imports } from './imports.ts';
export type { RefAddress } from './ref-address.ts';
export { type Channel, endedFirst, RemoteRef, RemoteReplyRef, type Route } from './remote-ref.ts';
export { Waiters } from './waiters.ts';
