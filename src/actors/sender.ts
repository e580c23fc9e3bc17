/** The actor whose turn it was when the message was sent. */
export interface Sender {
  readonly path: string;
}
