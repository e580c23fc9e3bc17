import type { ErrorEnvelope } from '../errors.ts';
import { isRecord } from '../is-record.ts';

/** Envelopes made by Shoal have fewer nested causes. */
const CAUSES_MAX = 16;

/** Whether a value received over NATS, from anybody, is an error envelope. */
export function isErrorEnvelope(value: unknown, causesMax = CAUSES_MAX): value is ErrorEnvelope {
  if (causesMax < 0 || !isRecord(value)) return false;
  const { name, code, message, details, stack, cause } = value;
  const hasTexts = typeof name === 'string' && typeof code === 'string' && typeof message === 'string';
  // Shoal sends no stack; another program may send anything.
  const hasFit = isRecord(details) && (stack === undefined || typeof stack === 'string');
  return hasTexts && hasFit && (cause === undefined || isErrorEnvelope(cause, causesMax - 1));
}
