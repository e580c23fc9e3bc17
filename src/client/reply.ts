/** The processed text, and who processed it. */
export interface ClientReply {
  readonly text: string;
  readonly vm: number | undefined;
  readonly host: string | undefined;
  /** Milliseconds from the call to the reply. */
  readonly ms: number;
}
