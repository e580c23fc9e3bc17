import type { Tracing } from '../actors/mod.ts';
import type { Extras } from './wire.ts';

/** The kind of the last group of extras, if the message carries the trace context of its sender. */
const CONTEXT = 'context';
/** Where the kind and the text stand, from the end of the extras. */
const KIND_AT = -3;
const TEXT_AT = -2;

/** The message with the context of the code that sends it, if there is one. */
export function withContext<E extends { readonly extras: Extras | undefined }>(
  encoded: E,
  tracing: Tracing | undefined,
): E {
  const context = tracing?.current();
  const text = context === undefined ? undefined : tracing?.toText(context);
  return text === undefined
    ? encoded
    : { ...encoded, extras: [...(encoded.extras ?? []), [], CONTEXT, text, undefined] };
}

export function isContext(kind: unknown): boolean {
  return kind === CONTEXT;
}

/** Runs `deliver` in the context that a message has brought along. */
export function inContextOf(extras: Extras | undefined, tracing: Tracing, deliver: () => void): void {
  const text = extras !== undefined && isContext(extras.at(KIND_AT)) ? extras.at(TEXT_AT) : undefined;
  tracing.within(typeof text === 'string' ? tracing.fromText(text) : undefined, deliver);
}
