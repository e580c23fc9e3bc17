import { expect, test } from 'vitest';
import { decisionLines, rulesNamed } from './decision-lines.ts';

const DECISION = {
  atMs: 0,
  text: 'VM 3 is drained: idle (R5)',
  rule: 'R5',
  figures: { free_count: 5, ready: 2 },
  reason: 'idle',
  considered: [
    { what: 'VM 1', why: 'it stays' },
    { what: 'a free VM', why: 'there is none', rule: 'R2' },
  ],
} as const;

test('a decision is shown with its figures, its reason, and what was considered and why not', () => {
  expect(decisionLines(DECISION)).toEqual([
    '00:00:00.000  VM 3 is drained: idle (R5)',
    '              on free_count 5, ready 2',
    '              reason idle',
    '              not VM 1: it stays',
    '              not a free VM: there is none (R2)',
  ]);
  expect(decisionLines({ atMs: 0, text: 'VM 3 boots' })).toHaveLength(1);
});

test('the rules that are named follow once, each with its title', () => {
  const asked = { text: 'x', rule: 'command' } as const;
  expect(rulesNamed([DECISION, DECISION, asked])).toEqual([
    'R5 Idle: `shoal explain R5`',
    'R2 Free VM: `shoal explain R2`',
    'command: an administrator asked for it',
  ]);
});

test('what a fleet says cannot steer the terminal', () => {
  const lines = decisionLines({ ...DECISION, considered: [{ what: '\u001b[31m', why: '\u0007' }] });
  for (const control of ['\u001b', '\u0007']) expect(lines.join('')).not.toContain(control);
});
