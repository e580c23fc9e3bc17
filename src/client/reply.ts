/** The bytes of a reply, and who gave it. */
export interface ClientBytesReply extends Omit<ClientReply, 'text'> {
  readonly bytes: Uint8Array;
  /** What the bytes are, if the image gives bytes; undefined: UTF-8 text. */
  readonly contentType: string | undefined;
}

/** The processed text, and who processed it. */
export interface ClientReply {
  readonly text: string;
  readonly vm: number | undefined;
  readonly host: string | undefined;
  /** Milliseconds from the call to the reply. */
  readonly ms: number;
}
