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

/** A reply with the content type that the client is told: 1 to 255 printable characters of ASCII, as in `image/png`. */
export interface TypedReply {
  readonly payload: string | Uint8Array;
  readonly contentType?: string | undefined;
}

/** What an operation may return where the module exports `payload = 'bytes'`. */
export type BytesReply = string | Uint8Array | TypedReply;

/** As `Operation`, where the module exports `payload = 'bytes'`. */
export type BytesOperation = (bytes: Uint8Array, request: ServiceRequest) => BytesReply | Promise<BytesReply>;

/** As `Service`, where the module exports `payload = 'bytes'`. */
export type BytesService = Readonly<Record<string, BytesOperation>>;
