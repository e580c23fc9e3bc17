import { mutationsOf } from './mutation.ts';

/** What a host makes of the bytes of another. */
export const REMOTE_BYTES = [
  ...mutationsOf('remote/envelope.ts', [
    ['a chain of causes has an end', ' || depth > CAUSES_MAX', ''],
    ['eight causes cross', 'const CAUSES_MAX = 8;', 'const CAUSES_MAX = 7;'],
    ['an error has a name', "typeof name !== 'string' || ", ''],
    ['an error has a message', "typeof message !== 'string' || ", ''],
    ['an error has details', ' || !isRecord(details)', ''],
    ['a code crosses', "...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),", ''],
    ['a stack crosses', "...(typeof stack === 'string' ? { stack } : {}),", ''],
    ['causes cross', '...(cause === undefined ? {} : { cause: envelopeOf(cause, depth + 1) }),', ''],
    [
      'a code stays if details cannot cross',
      "...(typeof code === 'string' ? { code: code.slice(0, SHORT_CHARS) } : {}),",
      '',
    ],
    ['a message is cut if it cannot cross', 'message: message.slice(0, SHORT_CHARS)', 'message'],
    ['the loss that an end comes from crosses', "...(typeof lossId === 'string' ? { lossId } : {})", ''],
  ]),
  ...mutationsOf('remote/scan.ts', [
    [
      'bytes that end too early are no value',
      'if (head === undefined) return false;',
      'if (head === undefined) return true;',
    ],
    ['a list that takes all bytes is whole', 'items > bytes.length - at', 'items >= bytes.length - at'],
    ['a value is no deeper than its limit', 'if (open.length >= depthMax) return false;', ''],
    ['a value may be as deep as its limit', 'open.length >= depthMax', 'open.length >= depthMax - 1'],
    ['one value is all', 'return at === bytes.length;', 'return true;'],
    ['a map has two items for each key', 'items: 2 * (head & 0x0f)', 'items: head & 0x0f'],
    ['a long map has two items for each key', 'head < 0xde ? length : 2 * length', 'length'],
    ['a type that is not used is no value', '(FIXED[head] ?? NEVER)', '(FIXED[head] ?? 0)'],
  ]),
];
