/**
 * How one end of a channel names a ref that it sends to the other. Like everything that stands in each message this is
 * a tuple: a structured clone writes the field names of an object again for each object.
 */
export type RefAddress =
  | readonly [kind: 'ref', id: number, path: string]
  /** Takes one message and is forgotten with it, so nobody has to release it. */
  | readonly [kind: 'reply', id: number]
  /** A ref of the receiver's own. */
  | readonly [kind: 'yours', id: number]
  /** An actor that the receiver has placed on the sender. It arrives as the proxy that the receiver has for it. */
  | readonly [kind: 'placed', id: number];
