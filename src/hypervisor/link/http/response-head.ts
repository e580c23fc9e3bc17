import { isContentType } from '../../../fleet/mod.ts';
import { refuse } from './http-invalid.ts';

/** Where the body of a response ends (RFC 9112, section 6.3). */
export type BodyRule =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

export interface Head {
  readonly status: number;
  readonly reason: string;
  readonly body: BodyRule;
  /** Undefined if there is none that can be passed on. */
  readonly contentType: string | undefined;
  readonly keepAlive: boolean;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: ([^\r]*))?$/;
/** The blanks around the value are not its own. An expression that leaves them out takes cubic time over many of them. */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r]*)$/;
const LENGTH = /^[0-9]{1,15}$/;
/** Statuses whose response never has a body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);

/**
 * Reads the head of a response to a POST or a GET.
 * @param lines the status line and the fields, without the ends of lines
 * @throws HTTP_INVALID
 */
export function parseHead(lines: readonly string[]): Head {
  const [first = '', ...fields] = lines;
  const match = STATUS_LINE.exec(first);
  if (match === null) refuse('it does not begin with a status line of HTTP/1.0 or HTTP/1.1');
  const status = Number(match[2]);
  const isOld = match[1] === '0';
  // Nobody asked for another protocol, and what follows this status is no HTTP.
  if (status === 101) refuse('its status is 101');
  const known = new Fields(fields);
  const connection = known.list('connection');
  const body = bodyRule(status, isOld, known);
  const keepAlive = isOld ? connection.includes('keep-alive') : !connection.includes('close');
  const [contentType = ''] = known.all('content-type');
  return {
    status,
    reason: match[3] ?? '',
    body,
    contentType: isContentType(contentType) ? contentType : undefined,
    keepAlive: keepAlive && body.kind !== 'until-close',
  };
}

function bodyRule(status: number, isOld: boolean, fields: Fields): BodyRule {
  const coding = fields.list('transfer-encoding');
  const lengths = fields.all('content-length');
  if (coding.length > 0 && lengths.length > 0) refuse('it has both a length and a transfer coding');
  if (status < 200 || WITHOUT_BODY.has(status)) return { kind: 'none' };
  if (coding.length > 0) {
    if (isOld || coding.length > 1 || coding[0] !== 'chunked') refuse('its transfer coding is not `chunked`');
    return { kind: 'chunked' };
  }
  const [length] = lengths;
  if (length === undefined) return { kind: 'until-close' };
  if (lengths.length > 1 || !LENGTH.test(length)) refuse('its length is not one number');
  return { kind: 'length', bytes: Number(length) };
}

/** The header fields, by their names in small letters. */
class Fields {
  readonly #values = new Map<string, string[]>();

  constructor(lines: readonly string[]) {
    for (const line of lines) {
      const match = FIELD.exec(line);
      if (match === null) refuse('a line of its head is no field');
      const name = (match[1] ?? '').toLowerCase();
      const value = withoutBlanks(match[2] ?? '');
      const values = this.#values.get(name);
      if (values === undefined) this.#values.set(name, [value]);
      else values.push(value);
    }
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The words of a field that is a list, in small letters. */
  list(name: string): readonly string[] {
    return this.all(name).flatMap((value) => value.split(',').map((word) => word.trim().toLowerCase()));
  }
}

/** Blanks are spaces and tabs alone: `trim` takes away more, and another reader would see another value. */
function withoutBlanks(text: string): string {
  let [from, end] = [0, text.length];
  while (from < end && isBlank(text, from)) from += 1;
  while (from < end && isBlank(text, end - 1)) end -= 1;
  return text.slice(from, end);
}

function isBlank(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t';
}
