import type { ExitReason } from '../actors/mod.ts';
import type { Detail, ErrorEnvelope } from '../errors.ts';
import { isRecord } from '../is-record.ts';

/** As `toEnvelope` makes them: no chain of causes is longer. */
const CAUSES_MAX = 8;

/** The envelope that another host has sent. @throws for anything else */
export function envelopeOf(value: unknown, depth = 0): ErrorEnvelope {
  if (!isRecord(value) || depth > CAUSES_MAX) throw new TypeError('no envelope of an error');
  const { name, code, message, details, stack, cause } = value;
  if (typeof name !== 'string' || typeof message !== 'string' || !isRecord(details)) throw new TypeError('no envelope');
  return {
    name,
    message,
    // It came as plain data, and nobody relies on more than that.
    details: details as Readonly<Record<string, Detail>>,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(cause === undefined ? {} : { cause: envelopeOf(cause, depth + 1) }),
  };
}

const SHORT_CHARS = 1_000;

/** In place of an envelope that cannot cross, because of the keys or the depth of its details, or its size. */
export function reduced({ name, code, message }: ErrorEnvelope): ErrorEnvelope {
  return {
    name: name.slice(0, SHORT_CHARS),
    ...(typeof code === 'string' ? { code: code.slice(0, SHORT_CHARS) } : {}),
    ...(typeof code === 'number' ? { code } : {}),
    message: message.slice(0, SHORT_CHARS),
    details: { omitted: 'details, stack and causes, which could not cross to another host' },
  };
}

/** The reason of an end that another host has sent. @throws for anything else */
export function reasonOf(value: unknown): ExitReason {
  if (!isRecord(value)) throw new TypeError('no reason of an end');
  const { kind, error, lossId } = value;
  switch (kind) {
    case 'normal':
    case 'shutdown':
    case 'killed':
      return { kind };
    case 'error':
      return { kind, error: envelopeOf(error), ...(typeof lossId === 'string' ? { lossId } : {}) };
    default:
      throw new TypeError('no reason of an end');
  }
}
