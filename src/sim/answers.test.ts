import { expect, it } from 'vitest';
import { Answers } from './answers.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import { type FaultRates, NO_FAULTS } from './scenario.ts';

function answersWith(faults: Partial<FaultRates> = {}) {
  const told: string[] = [];
  const answers = new Answers(
    { network: DEFAULT_SCENARIO.network, faults: { ...NO_FAULTS, ...faults } },
    (what) => told.push(what),
    () => undefined,
  );
  return { answers, told };
}

it('a request that came once has one answer, and one that came again may have another', () => {
  const { answers, told } = answersWith({ shoalPause: 1 });
  answers.comes('inbox.1');
  answers.answers('host-1', 'inbox.1');
  answers.comes('inbox.1');
  answers.answers('host-2', 'inbox.1');
  answers.answers('host-2', 'inbox.of.nobody');
  expect(told).toEqual([]);
  answers.answers('host-3', 'inbox.1');
  expect(told).toEqual(['host-3 answers a request that came 2 times, and has 3 answers']);
});

it.each(['hostMute', 'hostDeaf', 'split', 'partition'] as const)(
  'with %s nobody can know what the client has',
  (name) => {
    const { answers, told } = answersWith({ [name]: 1 });
    answers.comes('inbox.1');
    for (const host of ['host-1', 'host-2']) answers.answers(host, 'inbox.1');
    expect(told).toEqual([]);
  },
);
