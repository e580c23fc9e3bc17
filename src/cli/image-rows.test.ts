import { expect, test } from 'vitest';
import { type ImageRow, imageTable, stepOf } from './image-rows.ts';

const [OLD, NEW] = ['a'.repeat(64), 'b'.repeat(64)];
const [OLD_SHORT, NEW_SHORT] = [OLD.slice(0, 12), NEW.slice(0, 12)];

function row(phase: string, { before = OLD, why = null }: { before?: string; why?: string | null } = {}): ImageRow {
  return {
    host: 'a',
    image: OLD,
    before: null,
    vms: [
      { image: OLD, vms: 2 },
      { image: NEW, vms: 1 },
    ],
    deploy: {
      image: NEW,
      before,
      phase,
      why,
      canary: 2,
      canary_ms: 10_000,
      new_answers: null,
      new_errors: null,
      started_ms: 1,
      ended_ms: null,
    },
  };
}

test.each([
  [row('rolling'), `image ${NEW_SHORT} replaces ${OLD_SHORT}`],
  [row('rolling', { before: NEW }), `image ${NEW_SHORT} is deployed again`],
  [row('canary'), `image ${NEW_SHORT} is tried on 2 canaries, for 10 s or 1000 answers`],
  [row('rolling-back', { why: 'they crash' }), `image ${NEW_SHORT} is being rolled back: they crash`],
  [row('rolled-back', { why: 'they crash' }), `image ${NEW_SHORT} was rolled back: they crash`],
])(
  'a deploy says what it does and waits for, and one that goes on reads otherwise than one that has ended',
  (status, text) => {
    expect(stepOf(status)).toBe(text);
  },
);

test('the table says how many VMs run on which image', () => {
  expect(imageTable([row('canary')])).toContain(`2 on ${OLD_SHORT}, 1 on ${NEW_SHORT}`);
});
