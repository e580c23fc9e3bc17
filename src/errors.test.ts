import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  type Detail,
  ERRORS,
  type ErrorCode,
  type ErrorEnvelope,
  fromEnvelope,
  ShoalError,
  toEnvelope,
  toWire,
} from './errors.ts';

// Object.keys forgets the type of the keys.
const codes = Object.keys(ERRORS) as ErrorCode[];

describe('docs/errors.md', () => {
  const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$/gm)].map(([, code, meaning, advice]) => ({
    code,
    meaning,
    advice,
  }));

  it('explains every code of the registry once, and no other', () => {
    expect(rows.map(({ code }) => code).sort()).toEqual([...codes].sort());
  });

  it('gives each the meaning that the registry gives it', () => {
    const meanings = Object.fromEntries(rows.map(({ code, meaning }) => [code, meaning]));
    expect(meanings).toEqual(ERRORS);
  });
});

describe('the envelope of an error', () => {
  const roundTrip = (error: unknown): Error => {
    // As it travels: as JSON between hosts, cloned between threads.
    const envelope: ErrorEnvelope = structuredClone(JSON.parse(JSON.stringify(toEnvelope(error))));
    return fromEnvelope(envelope);
  };

  it('brings back code, message, details and the chain of causes', () => {
    const detail = fc.letrec<{ value: Detail }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        // An own property named __proto__ does not survive being spread; no detail has that name.
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value;
    const link = fc.record({
      code: fc.constantFrom(...codes),
      message: fc.string(),
      details: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), detail, { maxKeys: 3, noNullPrototype: true }),
    });
    fc.assert(
      fc.property(fc.array(link, { minLength: 1, maxLength: 8 }), (chain) => {
        const error = chain.reduceRight<ShoalError | undefined>(
          (cause, { code, message, details }) => new ShoalError(code, message, { cause, details }),
          undefined,
        );
        let back: unknown = roundTrip(error);
        for (const expected of chain) {
          expect(back).toBeInstanceOf(ShoalError);
          expect(back).toMatchObject(expected);
          // Two lines above it was found to be a ShoalError.
          back = (back as Error).cause;
        }
        expect(back).toBeUndefined();
      }),
    );
  });

  it('keeps the name and the code of an error that is not ours', () => {
    const error = Object.assign(new TypeError('no such file'), { code: 'ENOENT' });
    const back = roundTrip(error);
    expect(back).not.toBeInstanceOf(ShoalError);
    expect([back.name, back.message, codeOf(back)]).toEqual(['TypeError', 'no such file', 'ENOENT']);
  });

  it('does not take a foreign error for one of ours because of its code', () => {
    const back = roundTrip(Object.assign(new Error('not ours'), { code: 'VM_GONE' }));
    expect(back).not.toBeInstanceOf(ShoalError);
    expect(codeOf(back)).toBe('VM_GONE');
  });

  it('of a newer Shoal keeps a code that is not known here', () => {
    const back = fromEnvelope({ name: 'ShoalError', code: 'FROM_THE_FUTURE', message: 'm', details: {} });
    expect([back.name, codeOf(back)]).toEqual(['ShoalError', 'FROM_THE_FUTURE']);
  });

  it('is made of anything that can be thrown', () => {
    const thorny = new Error('hidden');
    Object.defineProperty(thorny, 'message', {
      get: () => {
        throw new Error('thorn');
      },
    });
    for (const thrown of [undefined, null, 7, 'text', Symbol('s'), {}, Object.create(null), thorny]) {
      expect(toEnvelope(thrown)).toEqual({ name: 'Error', message: expect.any(String), details: {} });
    }
  });

  it('says where the error and its causes were thrown, and not where they were made again', () => {
    const thrownHere = (): Error => new TypeError('first');
    const error = new Error('second', { cause: thrownHere() });
    const back = roundTrip(error);
    expect(back.stack).toBe(error.stack);
    expect(back.cause).toMatchObject({ name: 'TypeError', stack: expect.stringContaining('at thrownHere') });
    expect(fromEnvelope({ name: 'Error', message: 'thrown as a text', details: {} }).stack).toBe(
      'Error: thrown as a text',
    );
  });

  it("gives an error without a code none, and keeps a number: neither is called Shoal's", () => {
    expect('code' in roundTrip(new Error('no code'))).toBe(false);
    expect(roundTrip(Object.assign(new Error('of a library'), { code: 13 }))).toMatchObject({ code: 13 });
  });

  it('shows of an error from elsewhere as much as of one from here', () => {
    const error = Object.assign(new TypeError('m'), { code: 'E' });
    expect(Object.keys(roundTrip(error))).toEqual(Object.keys(error));
  });

  it('leaves the process without stacks, and as a defect if it has no code', () => {
    const error = new ShoalError('VM_GONE', 'gone', { details: { vm: 7 }, cause: new Error('no code') });
    expect(toWire(toEnvelope(error))).toEqual({
      name: 'ShoalError',
      code: 'VM_GONE',
      message: 'gone',
      details: { vm: 7 },
      cause: { name: 'Error', code: 'INTERNAL', message: 'no code', details: {} },
    });
  });

  it('stays small: a long chain of causes is cut, and a circle ends', () => {
    const circle = new Error('round');
    circle.cause = circle;
    let links = 0;
    for (let next: ErrorEnvelope | undefined = toEnvelope(circle); next !== undefined; next = next.cause) links += 1;
    expect(links).toBe(9);
  });
});

describe('codeOf', () => {
  it("finds the code of our errors and of Node's, and none elsewhere", () => {
    expect(codeOf(new ShoalError('USAGE', 'm'))).toBe('USAGE');
    expect(codeOf(Object.assign(new Error('m'), { code: 'EPIPE' }))).toBe('EPIPE');
    expect([codeOf(new Error('m')), codeOf('USAGE'), codeOf({ code: 'USAGE' })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
