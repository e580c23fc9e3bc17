import { expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { Heard } from './heard.ts';
import { whyStill } from './why-still.ts';

function heard(): { readonly heard: Heard; readonly clock: ManualClock; say(line: string): void } {
  const clock = new ManualClock();
  const one = new Heard(
    { format: 'shoal' },
    {
      bind: '10.0.2.15/24',
      addr: '127.0.0.1:9000',
      textBytesMax: 100,
      idempotent: undefined,
      ramBytesMax: 1_000_000,
      measured: () => ({ seq: 1, cpuPercent: 0, ramBytes: 0 }),
    },
    clock,
  );
  return { heard: one, clock, say: (line) => one.push(Buffer.from(`${line}\n`)) };
}

it('what a guest says first counts: it is ready once, and says goodbye once', async () => {
  const { heard: one, clock, say } = heard();
  await clock.advance(10);
  say('shoal1 ready bind=10.0.2.15/24 addr=127.0.0.1:9000 max=100 idempotent=1 ops=upper');
  await clock.advance(10);
  say('shoal1 ready bind=10.0.2.15/24 addr=127.0.0.1:9000 max=99 idempotent=1 ops=upper');
  say('shoal1 bye reason=stop');
  say('shoal1 bye reason=tired');
  expect([one.readyMs, one.ready?.guest.textBytesMax, one.bye]).toEqual([clock.monotonic() - 10, 100, 'stop']);
});

it('whoever waits goes on once it is so, once the guest is gone, or when the time is up', async () => {
  const { heard: one, clock, say } = heard();
  const isSo = () => one.bye !== undefined;
  const late = one.until(isSo, 100);
  await clock.advance(100);
  expect(await late).toBe(false);
  const said = one.until(isSo, 100);
  say('shoal1 bye reason=stop');
  expect(await said).toBe(true);
  const gone = one.until(() => false, 100);
  one.isOver = true;
  one.changed();
  expect(clock.pending).toBe(0);
  await clock.advance(100);
  expect(await gone).toBe(false);
});

it('the last words are a refused line, or else the end of the log', () => {
  const { heard: one, say } = heard();
  expect(one.lastWords).toBe('its console said nothing');
  for (const line of ['a', 'b', 'c', 'd']) say(line);
  expect([one.log, one.lastWords]).toEqual([['b', 'c', 'd'], 'its console said last: "d"']);
  say('shoal1 status seq=x');
  say('e');
  expect(one.lastWords).toMatch(/^a line of its console was refused: .*: "shoal1 status seq=x"$/);
});

it('the last words are those of the last refused line, and not all of a long one', () => {
  const { heard: one, say } = heard();
  say('shoal1 status seq=first');
  say(`shoal1 status seq=${'x'.repeat(1_000)}`);
  expect(one.lastWords).toMatch(/: "shoal1 status seq=x{102}\.\.\."$/);
});

it('a guest that says bye as it was asked to says nothing by it', () => {
  const { heard: one, say } = heard();
  say('shoal1 bye reason=stop');
  expect(one.lastWords).toBe('its console said nothing');
  say('after it');
  expect(one.lastWords).toBe('its console said last: "after it"');
});

it('lines that came too fast are counted, and only so many reports are kept', async () => {
  const { heard: one, clock, say } = heard();
  for (let round = 1; round <= 3; round++) {
    for (let seq = 1; seq <= 600; seq++) say(`shoal1 status seq=${seq} cpu=0 ram=1 inflight=0 served=0`);
    await clock.advance(60_000);
  }
  say('enough');
  expect([one.shed, one.reports.length]).toEqual([600, 1_000]);
});

it('of the lines that were refused the first is told: the parts of a flood that are lost make others', () => {
  const { heard: one, say } = heard();
  expect(one.refusals).toBeUndefined();
  say('shoal1 status seq=x');
  expect(one.refusals).toMatch(/^a line was refused: .*: "shoal1 status seq=x"$/);
  say('shoal1 status seq=1 cpushoal1 status');
  expect(one.refusals).toMatch(/^2 lines were refused, the first of them: .*: "shoal1 status seq=x"$/);
});

it.each([
  ['reason=panic why=x', 'it said bye: "panic (x)"'],
  ['reason=bad-service why=threw', 'it said bye: "bad-service (threw)"'],
  [
    'reason=bad-argument key=shoal.max value=9 why=too-little-memory',
    'it said bye: "bad-argument (shoal.max=9: too-little-memory)"; raise `memoryMib` of its profile',
  ],
])('a bye is among the last words, with its remedy if there is one: %s', (words, told) => {
  const { heard: one, say } = heard();
  say(`shoal1 bye ${words}`);
  expect(one.lastWords).toBe(told);
});

it('what the guest said of its service stands beside its bye', () => {
  const { heard: one, say } = heard();
  say('service: TypeError: no');
  say('shoal1 bye reason=bad-service why=threw');
  expect(one.lastWords).toBe('it said bye: "bad-service (threw)", after "service: TypeError: no"');
});

it('what is wrong is looked at three times, but not after the guest is gone', async () => {
  const looks = async (isOver: boolean, ...found: (string | undefined)[]): Promise<unknown> => {
    let count = 0;
    const why = await whyStill({ isOver }, async () => found[count++]);
    return [why, count];
  };
  expect(await looks(false, 'a', 'b', 'c', undefined)).toEqual(['c', 3]);
  expect(await looks(false, 'a', undefined)).toEqual([undefined, 2]);
  expect(await looks(true, 'a', undefined)).toEqual(['a', 1]);
});
