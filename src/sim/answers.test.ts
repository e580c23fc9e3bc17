import { expect, it } from 'vitest';
import { type AbsenceKind, Absences } from './absences.ts';
import { Answers } from './answers.ts';
import { DEFAULT_SCENARIO } from './defaults.ts';
import type { NetworkFaults } from './nats-server.ts';

function answersWith(network: Partial<NetworkFaults> = {}) {
  const told: string[] = [];
  const absences = new Absences();
  const answers = new Answers({
    scenario: { network: { ...DEFAULT_SCENARIO.network, ...network } },
    absences,
    violated: (what) => told.push(what),
    count: () => undefined,
  });
  return { answers, absences, told };
}

it('a request that came once has one answer, and one that came again may have another', () => {
  const { answers, told } = answersWith();
  answers.comes('inbox.1', 'host-1');
  answers.answers('host-1', 'inbox.1', 10);
  answers.comes('inbox.1', 'host-2');
  answers.answers('host-2', 'inbox.1', 20);
  answers.answers('host-2', 'inbox.of.nobody', 20);
  expect(told).toEqual([]);
  answers.answers('host-3', 'inbox.1', 30);
  expect(told).toEqual(['host-3 answers a request that came 2 times, and has 3 answers']);
});

it('on a network that loses messages nobody can know what the client has', () => {
  const { answers, told } = answersWith({ lost: 0.001 });
  answers.comes('inbox.1', 'host-1');
  for (const host of ['host-1', 'host-2']) answers.answers(host, 'inbox.1', 10);
  expect(told).toEqual([]);
});

type Away = readonly [host: string, what: AbsenceKind, fromMs: number, untilMs?: number];

/** What is said of two answers to a request that came once, to the first host. */
function violations(aways: readonly Away[], [first, second]: readonly [string, string]): readonly string[] {
  const { answers, absences, told } = answersWith();
  for (const [host, what, fromMs, untilMs] of aways) {
    absences.leaves(host, what, fromMs);
    if (untilMs !== undefined) absences.returns(host, what, untilMs);
  }
  answers.comes('inbox.1', 'host-1');
  answers.answers(first, 'inbox.1', 1_100);
  answers.answers(second, 'inbox.1', 9_500);
  return told;
}

const SECOND = ['host-1 answers a request that came 1 times, and has 2 answers'];

it.each<[string, readonly Away[], readonly string[]]>([
  ['nobody was away', [], SECOND],
  ['home alone was cut off', [['host-1', 'cut-off', 1_000, 9_000]], SECOND],
  ['the other alone died', [['host-2', 'death', 1_500]], SECOND],
  ['the router of home alone ended', [['host-1', 'death', 3_000]], SECOND],
  [
    'the router of home ended while home was cut off',
    [
      ['host-1', 'cut-off', 1_000, 9_000],
      ['host-1', 'death', 3_000],
    ],
    [],
  ],
  [
    'the router of home had ended before',
    [
      ['host-1', 'cut-off', 1_000, 9_000],
      ['host-1', 'death', 1_050],
    ],
    SECOND,
  ],
  [
    'the other had died before',
    [
      ['host-1', 'cut-off', 1_000, 5_000],
      ['host-2', 'death', 500],
    ],
    SECOND,
  ],
  [
    'home was cut off long before',
    [
      ['host-1', 'cut-off', 0, 100],
      ['host-2', 'death', 5_500],
    ],
    [],
  ],
  [
    'home was cut off, and the other died',
    [
      ['host-1', 'cut-off', 1_000, 5_000],
      ['host-2', 'death', 1_500],
    ],
    [],
  ],
  [
    'home was cut off, then the other',
    [
      ['host-1', 'cut-off', 1_000, 5_000],
      ['host-2', 'cut-off', 4_000, 9_000],
    ],
    [],
  ],
  [
    'both were cut off at once',
    [
      ['host-1', 'cut-off', 1_000, 5_000],
      ['host-2', 'cut-off', 1_200, 3_500],
    ],
    [],
  ],
  [
    'the other was back before',
    [
      ['host-1', 'cut-off', 1_000, 9_000],
      ['host-2', 'pause', 1_200, 3_500],
    ],
    SECOND,
  ],
  [
    'the other stood still while it was cut off, and its reply left with the network',
    [
      ['host-2', 'cut-off', 500, 1_050],
      ['host-2', 'pause', 800, 9_000],
    ],
    [],
  ],
  [
    'the other stood still only once it was back',
    [
      ['host-2', 'cut-off', 500, 1_000],
      ['host-2', 'pause', 1_050, 9_000],
    ],
    SECOND,
  ],
  [
    'the other was back long before its reply left',
    [
      ['host-2', 'cut-off', 100, 700],
      ['host-2', 'pause', 500, 9_000],
    ],
    SECOND,
  ],
])('a second answer after that of another host, if %s', (_what, aways, expected) => {
  expect(violations(aways, ['host-2', 'host-1'])).toEqual(expected);
});

it.each<[string, readonly Away[], readonly string[]]>([
  ['was killed in between', [['host-1', 'death', 1_500]], []],
  ['stood still in between', [['host-1', 'pause', 1_500, 3_000]], SECOND],
  ['had been killed before', [['host-1', 'death', 1_000]], SECOND],
  ['lives, and another was killed', [['host-2', 'death', 1_500]], SECOND],
])('a second answer of the same host, if it %s', (_what, aways, expected) => {
  expect(violations(aways, ['host-1', 'host-1'])).toEqual(expected);
});

it('another host has no right to answer what a host that was killed has answered', () => {
  const away = ['host-1', 'death', 1_500] as const;
  expect(violations([away], ['host-1', 'host-2'])).toEqual([
    'host-2 answers a request that came 1 times, and has 2 answers',
  ]);
});

it('what a host that was killed has told twice takes no answer away from the hosts that a repeat came to', () => {
  const { answers, absences, told } = answersWith();
  for (const home of ['host-1', 'host-3', 'host-2']) answers.comes('inbox.1', home);
  answers.answers('host-1', 'inbox.1', 10);
  answers.answers('host-3', 'inbox.1', 20);
  absences.leaves('host-1', 'death', 30);
  answers.answers('host-1', 'inbox.1', 1_800);
  answers.answers('host-2', 'inbox.1', 2_400);
  expect(told).toEqual([]);
  answers.answers('host-2', 'inbox.1', 2_500);
  expect(told).toEqual(['host-2 answers a request that came 3 times, and has 5 answers']);
});
