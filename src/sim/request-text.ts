const CHARS_MAX = 4_096;
const HEAD_CHARS = 40;
const HEAD = /^(\S+) (\d+) /;

/** The text of a request: its units of work, `-` if it has none, its number, and dots up to its size. */
export function requestText(number: number, units: number | undefined, bytes: number): string {
  const head = `${units ?? '-'} ${number} `;
  return head.padEnd(Math.min(Math.max(bytes, head.length), CHARS_MAX), '.');
}

/** The number of the request with this text; empty if it is none of ours. */
export function numberIn(payload: Uint8Array): string {
  return headOf(payload)?.[2] ?? '';
}

/** The units of work of the request with this text; undefined if it has none. */
export function unitsIn(payload: Uint8Array): number | undefined {
  const units = Number(headOf(payload)?.[1]);
  return Number.isNaN(units) ? undefined : units;
}

function headOf(payload: Uint8Array): RegExpExecArray | null {
  const { buffer, byteOffset, length } = payload;
  return HEAD.exec(Buffer.from(buffer, byteOffset, Math.min(length, HEAD_CHARS)).toString('latin1'));
}
