import { describe, expect, it } from 'vitest';
import { envelopeOf, reasonOf, reduced } from './envelope.ts';

const PLAIN = { name: 'Error', message: 'it broke', details: { at: 1 } };

/** @param causes how many errors stand behind the first */
function chain(causes: number): unknown {
  return causes === 0 ? PLAIN : { ...PLAIN, cause: chain(causes - 1) };
}

describe('an error of another host', () => {
  it('comes with all that it has', () => {
    const whole = { ...PLAIN, code: 'E_BROKEN', stack: 'at home', cause: { ...PLAIN, code: 7 } };
    expect(envelopeOf(whole)).toEqual(whole);
  });

  it.each([
    ['no record', 'it broke'],
    ['no name', { ...PLAIN, name: 1 }],
    ['no message', { ...PLAIN, message: undefined }],
    ['no details', { ...PLAIN, details: 'none' }],
    ['a cause that is none', { ...PLAIN, cause: 'it' }],
  ])('is refused with %s', (_, value) => {
    expect(() => envelopeOf(value)).toThrow('envelope');
  });

  it('has eight causes at most', () => {
    expect(envelopeOf(chain(8))).toEqual(chain(8));
    expect(() => envelopeOf(chain(9))).toThrow('envelope');
  });
});

describe('an error that cannot cross', () => {
  it('keeps its code and the first thousand characters of its texts', () => {
    const long = 'x'.repeat(2_000);
    const { name, message, code, details } = reduced({ name: long, message: long, code: long, details: { at: 1 } });
    expect([name.length, message.length, String(code).length]).toEqual([1_000, 1_000, 1_000]);
    expect(Object.keys(details)).toEqual(['omitted']);
    expect(reduced({ ...PLAIN, code: 7 }).code).toBe(7);
  });
});

describe('the reason of an end', () => {
  it('comes with the loss that it is part of', () => {
    const lost = { kind: 'error', error: PLAIN, lossId: 'b 1' };
    expect([reasonOf(lost), reasonOf({ kind: 'killed' })]).toEqual([lost, { kind: 'killed' }]);
    expect(() => reasonOf({ kind: 'other' })).toThrow('no reason');
  });
});
