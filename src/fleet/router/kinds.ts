export interface Message {
  readonly kind: string;
}

/** Tells the messages of some kinds from others. @param kinds all of them: the compiler notices one that is missing */
export function kindsOf<M extends Message>(kinds: Readonly<Record<M['kind'], true>>) {
  const all: ReadonlySet<string> = new Set(Object.keys(kinds));
  return <Other extends Message>(message: Other | M): message is M => all.has(message.kind);
}
