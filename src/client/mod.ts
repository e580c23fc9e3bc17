export type { ErrorCode } from '../errors.ts';
export { ShoalError } from '../errors.ts';
export type { Client, ClientOptions, ClientReply, ClientRequestOptions } from './client.ts';
export { connect } from './client.ts';
