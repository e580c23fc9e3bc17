import { expect, it } from 'vitest';
import { begun, endsOfRollBack } from './image-deploy.ts';
import type { ImageRow } from './image-rows.ts';

const [OURS, OTHER] = ['1'.repeat(64), '2'.repeat(64)];

function told(image: string): ImageRow {
  const deploy = { before: '0'.repeat(64), phase: 'checking', why: null, started_ms: 7, ended_ms: null };
  const answers = { new_answers: null, new_errors: null };
  return { host: 'a', image: '0'.repeat(64), before: null, vms: [], deploy: { image, ...deploy, ...answers } };
}

it('a deploy is not taken for ours that somebody has begun after ours was ended', () => {
  expect(begun(told(OURS), OURS)).toEqual(told(OURS));
  expect(() => begun(told(OTHER), OURS)).toThrow('it was ended at once, and image 222222222222 is checked');
});

it('a roll-back that undoes a deploy has failed if it is rolled back itself', () => {
  const undone = { ...told(OURS), before: OURS };
  const inPhase = (row: ImageRow, phase: string): ImageRow =>
    row.deploy === null ? row : { ...row, deploy: { ...row.deploy, phase } };
  expect(endsOfRollBack(inPhase(undone, 'rolling'))).toEqual(['deployed']);
  for (const phase of ['rolling-back', 'rolled-back', 'refused']) {
    expect(endsOfRollBack(inPhase(told(OURS), phase))).toContain('rolled-back');
  }
});
