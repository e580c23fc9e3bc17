import type { ConsoleField } from '../../profile/profile.ts';
import type { ConsoleEvent } from '../console-event.ts';
import { refused } from '../contract-line.ts';
import { isPrintable, printable } from '../printable.ts';
import type { GuestFacts } from './line-format.ts';

export type Kind = 'ready' | 'status' | 'bye';

/** The fields of a line, by the names of the guest contract. A value that is no text and no number is undefined. */
export type ToldFields = (name: ConsoleField) => string | number | undefined;

const INTEGER = /^[0-9]{1,16}$/;
const PERCENT = /^[0-9]{1,3}(?:\.[0-9]{1,9})?$/;
/** No guest can have more. */
const IN_FLIGHT_MAX = 1_000_000;
const VALUE_CHARS_MAX = 200;
/** A guest that says goodbye without a reason was asked to. */
const REASON = 'stop';

/** What a line tells whose kind and fields are known; refused if a field is not as it must be. */
export function toldLine(line: string, kind: Kind, fields: ToldFields, guest: GuestFacts): ConsoleEvent {
  if (!isPrintable(line)) return refused(line, 'it has control characters');
  try {
    switch (kind) {
      case 'ready':
        return ready(fields, guest);
      case 'status':
        return { kind: 'status', report: report(fields, guest) };
      case 'bye':
        return { kind: 'bye', reason: text(fields, 'reason') ?? REASON };
    }
  } catch (error) {
    if (error instanceof Refusal) return refused(line, error.message);
    throw error;
  }
}

/** @returns undefined if the word is no kind of line */
export function kindOf(word: unknown): Kind | undefined {
  return word === 'ready' || word === 'status' || word === 'bye' ? word : undefined;
}

function ready(fields: ToldFields, guest: GuestFacts): ConsoleEvent {
  return {
    kind: 'ready',
    bind: text(fields, 'bind') ?? guest.bind,
    addr: text(fields, 'addr') ?? guest.addr,
    guest: {
      textBytesMax: integer(fields, 'max', guest.textBytesMax, Number.MAX_SAFE_INTEGER),
      idempotent: guest.idempotent ?? false,
      operations: [],
    },
  };
}

function report(fields: ToldFields, guest: GuestFacts): Extract<ConsoleEvent, { kind: 'status' }>['report'] {
  const { seq, cpuPercent, ramBytes } = guest.measured();
  return {
    seq: integer(fields, 'seq', seq, Number.MAX_SAFE_INTEGER),
    cpuPercent: percent(fields, cpuPercent),
    ramBytes: integer(fields, 'ram', ramBytes, guest.ramBytesMax),
    inFlight: integer(fields, 'inflight', 0, IN_FLIGHT_MAX),
    served: integer(fields, 'served', 0, Number.MAX_SAFE_INTEGER),
  };
}

function percent(fields: ToldFields, standard: number): number {
  const value = fields('cpu');
  if (value === undefined) return standard;
  const number = typeof value === 'number' ? value : PERCENT.test(value) ? Number(value) : Number.NaN;
  if (number >= 0 && number <= 100) return number;
  throw new Refusal('`cpu` is not a share from 0 to 100');
}

function integer(fields: ToldFields, name: ConsoleField, standard: number, max: number): number {
  const value = fields(name);
  if (value === undefined) return standard;
  const number = typeof value === 'number' ? value : INTEGER.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= 0 && number <= max) return number;
  throw new Refusal(`\`${name}\` is not a whole number from 0 to ${max}`);
}

function text(fields: ToldFields, name: ConsoleField): string | undefined {
  const value = fields(name);
  if (value === undefined) return undefined;
  const shown = printable(String(value));
  if (shown.length > VALUE_CHARS_MAX) throw new Refusal(`\`${name}\` is longer than ${VALUE_CHARS_MAX} characters`);
  return shown;
}

class Refusal extends Error {}
