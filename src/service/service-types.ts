/** What a client asked for, beside the text. */
export interface ServiceRequest {
  /** The name of the operation that was called. */
  readonly operation: string;
  /** The content type that the client named; undefined if it named none, or if the service takes text. */
  readonly contentType?: string | undefined;
}

/** Makes a reply of a text. What it throws is the client's error. */
export type Operation = (text: string, request: ServiceRequest) => string | Promise<string>;

/** The default export of a service: its operations by name, the one that is called by default first. */
export type Service = Readonly<Record<string, Operation>>;

/** As `Operation`, where the module exports `payload = 'bytes'`. */
export type BytesOperation = (
  bytes: Uint8Array,
  request: ServiceRequest,
) => string | Uint8Array | Promise<string | Uint8Array>;

/** As `Service`, where the module exports `payload = 'bytes'`. */
export type BytesService = Readonly<Record<string, BytesOperation>>;
