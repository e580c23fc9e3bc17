import type { ErrorEnvelope } from '../errors.ts';

/** Our own envelopes have fewer causes, one inside the other. */
const CAUSES_MAX = 16;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value that came over NATS is an error of ours; anybody may have sent it. */
export function isErrorEnvelope(value: unknown, causesMax = CAUSES_MAX): value is ErrorEnvelope {
  if (causesMax < 0 || !isRecord(value)) return false;
  const { name, code, message, details, cause } = value;
  const hasTexts = typeof name === 'string' && typeof code === 'string' && typeof message === 'string';
  return hasTexts && isRecord(details) && (cause === undefined || isErrorEnvelope(cause, causesMax - 1));
}
