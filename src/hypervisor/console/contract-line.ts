import type { GuestReady } from '../../fleet/mod.ts';
import { KeptOnce } from '../../kept-once.ts';
import { isOperationName, OPERATIONS_MAX } from '../../operation-name.ts';
import type { ConsoleEvent } from './console-event.ts';
import { isPrintable, printable } from './printable.ts';

/** The beginning of every line of the guest contract. */
export const CONTRACT_PREFIX = 'shoal1 ';
export const RELAY_PREFIX = `${CONTRACT_PREFIX}relay `;

const KEY = /^[a-z][a-z0-9_]{0,31}$/;
const INTEGER = /^(?:0|[1-9][0-9]{0,15})$/;
const PERCENT = /^[0-9]{1,3}(?:\.[0-9]{1,3})?$/;

/** No guest can have more. */
const IN_FLIGHT_MAX = 1_000_000;

type Fields = ReadonlyMap<string, string>;

/**
 * Reads one line that begins with `shoal1 `. A line that is not exactly as the contract says is refused, never
 * guessed at.
 */
export function parseContractLine(line: string, ramBytesMax: number): ConsoleEvent {
  if (!isPrintable(line)) return refused(line, 'it has control characters');
  const rest = line.slice(CONTRACT_PREFIX.length);
  const blank = rest.indexOf(' ');
  const kind = blank < 0 ? rest : rest.slice(0, blank);
  const text = blank < 0 ? '' : rest.slice(blank + 1);
  if (kind === 'relay') return { kind: 'relay', line: text };
  if (kind !== 'ready' && kind !== 'status' && kind !== 'bye') return refused(line, 'its kind is not known');
  try {
    const fields = parseFields(text);
    if (kind === 'ready') return parseReady(fields);
    if (kind === 'status') return parseStatus(fields, ramBytesMax);
    return { kind: 'bye', reason: byeReason(fields) };
  } catch (error) {
    if (error instanceof Refusal) return refused(line, error.message);
    throw error;
  }
}

/** With what the guest says of it, such as which word of its command line it cannot use, and why. */
function byeReason(fields: Fields): string {
  const reason = field(fields, 'reason');
  const [key, value, why] = [fields.get('key'), fields.get('value'), fields.get('why')];
  if (reason === 'stop' || why === undefined) return reason;
  return `${reason} (${key === undefined ? '' : `${key}=${value ?? ''}: `}${why})`;
}

export function refused(line: string, why: string): ConsoleEvent {
  return { kind: 'refused', why, text: printable(line) };
}

/** Unknown fields are ignored: later versions of the contract may add some. */
function parseReady(fields: Fields): ConsoleEvent {
  const operations = field(fields, 'ops').split(',');
  if (operations.length > OPERATIONS_MAX) throw new Refusal(`it names more than ${OPERATIONS_MAX} operations`);
  const wrong = operations.find((operation) => !isOperationName(operation));
  if (wrong !== undefined) throw new Refusal('`ops` is not a list of names');
  const idempotent = field(fields, 'idempotent');
  if (idempotent !== '0' && idempotent !== '1') throw new Refusal('`idempotent` is neither 0 nor 1');
  const payload = fields.get('payload') ?? 'text';
  if (payload !== 'text' && payload !== 'bytes') throw new Refusal('`payload` is neither text nor bytes');
  const told = { textBytesMax: integer(fields, 'max'), idempotent: idempotent === '1', operations };
  const guest = payload === 'bytes' ? ({ ...told, payload } as const) : told;
  return { kind: 'ready', bind: field(fields, 'bind'), addr: field(fields, 'addr'), guest: ready.of(guest) };
}

/** The guests of one image say the same, and each VM keeps what its guest has said. */
const ready = new KeptOnce<GuestReady>();

function parseStatus(fields: Fields, ramBytesMax: number): ConsoleEvent {
  const cpu = field(fields, 'cpu');
  if (!PERCENT.test(cpu) || Number(cpu) > 100) throw new Refusal('`cpu` is not a share from 0 to 100');
  const report = {
    seq: integer(fields, 'seq'),
    cpuPercent: Number(cpu),
    ramBytes: integer(fields, 'ram'),
    inFlight: integer(fields, 'inflight'),
    served: integer(fields, 'served'),
  };
  if (report.ramBytes > ramBytesMax) throw new Refusal('`ram` is more than the VM has');
  if (report.inFlight > IN_FLIGHT_MAX) throw new Refusal('`inflight` is more than a guest can hold');
  return { kind: 'status', report };
}

function parseFields(text: string): Fields {
  const fields = new Map<string, string>();
  for (const part of text.split(' ')) {
    const equals = part.indexOf('=');
    const key = part.slice(0, Math.max(equals, 0));
    if (!KEY.test(key)) throw new Refusal('it is not made of key=value');
    if (fields.has(key)) throw new Refusal(`\`${key}\` stands there twice`);
    fields.set(key, part.slice(equals + 1));
  }
  return fields;
}

function field(fields: Fields, key: string): string {
  const value = fields.get(key);
  if (value === undefined || value === '') throw new Refusal(`\`${key}\` is missing`);
  return value;
}

function integer(fields: Fields, key: string): number {
  const text = field(fields, key);
  const value = Number(text);
  if (!INTEGER.test(text) || !Number.isSafeInteger(value))
    throw new Refusal(`\`${key}\` is not a whole number below 2^53`);
  return value;
}

class Refusal extends Error {}
