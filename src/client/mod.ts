export type { ErrorCode } from '../errors.ts';
export { ShoalError } from '../errors.ts';
export type { ConnectionState, Credentials } from '../transport/mod.ts';
export type {
  Client,
  ClientLinesOptions,
  ClientOptions,
  ClientRequestOptions,
  CloseOptions,
} from './client.ts';
export { clientOn, connect } from './client.ts';
export type { LineFailure, LineOutcome, LineReply, Lines } from './lines.ts';
export type { ClientBytesReply, ClientReply } from './reply.ts';
