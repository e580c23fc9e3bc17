export type { Client, ClientOptions, ClientReply, ClientRequestOptions } from './client.ts';
export { connect } from './client.ts';
