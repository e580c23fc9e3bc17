import { describe, expect, it } from 'vitest';
import type { FleetEvent } from '../fleet/mod.ts';
import { RelayChecks } from './relay-checks.ts';
import { VirtualTime } from './virtual-time.ts';

const PLACE = '10.0.0.7:9000';
const LINE = lineOf('start', 7, 3, 1);
const LONG_MS = 60_000;

function lineOf(kind: string, vm: number, through: number, number: number): string {
  const hex = '0123456789abcdef';
  return `${kind} vm=${vm} addr=${PLACE} through=${through} router=${hex} number=${number} mac=${hex}${hex}`;
}

function bench({ isClosing = false } = {}) {
  const time = new VirtualTime();
  const found: string[] = [];
  const checks = new RelayChecks({
    time,
    violated: (what) => found.push(what),
    holderOf: (place) => (place === PLACE ? 7 : undefined),
    isAlive: () => true,
    isClosing: () => isClosing,
  });
  const event = (more: Partial<FleetEvent>): void =>
    checks.onEvent({ atMs: 0, kind: 'vm-relay', host: 'h', text: '', rule: 'R10', ...more });
  const refused = (vm: number, how: string): void => event({ kind: 'warning', vm, figures: { refused: how, more: 0 } });
  const pass = (ms: number): Promise<void> => time.run(time.nowMs + ms);
  return { checks, found, event, refused, pass };
}

describe('the checks of relayed commands find nothing in', () => {
  it('one that is relayed and acts', async () => {
    const { checks, found, pass } = bench();
    checks.received(3, LINE);
    await pass(5);
    checks.heard(3, LINE);
    checks.acted('start', 7);
    await pass(LONG_MS);
    expect(found).toEqual([]);
  });

  it('a spare that boots ahead of its use, and is wanted through another VM before its CPU runs', async () => {
    const { checks, found, event, pass } = bench();
    event({ kind: 'vm-booting', vm: 7, rule: 'R3', text: 'VM 7, a spare, boots ahead of its use' });
    checks.received(3, LINE);
    checks.acted('start', 7);
    await pass(5);
    checks.heard(3, LINE);
    checks.acted('start', 7);
    await pass(LONG_MS);
    expect(found).toEqual([]);
  });

  it('a start command that was relayed in time, before a stop command that never came to its guest', async () => {
    const { checks, found, event, pass } = bench();
    checks.received(3, LINE);
    await pass(5);
    checks.heard(3, LINE);
    checks.acted('start', 7);
    event({ vm: 7, text: 'the stop command for VM 7 goes direct', figures: { through: 7, limit_ms: 200 } });
    expect(found).toEqual([]);
  });

  it('one that goes direct, and is told as late when it comes', async () => {
    const { checks, found, event, refused, pass } = bench();
    checks.received(3, LINE);
    await pass(200);
    event({ vm: 7, text: 'the start command for VM 7 goes direct', figures: { through: 3, limit_ms: 200 } });
    checks.acted('start', 7);
    await pass(100);
    checks.heard(3, LINE);
    refused(3, 'late');
    await pass(LONG_MS);
    expect(found).toEqual([]);
  });

  it('lines that are refused soon after another was told of', async () => {
    const { checks, found, refused, pass } = bench();
    checks.heard(3, 'no command');
    refused(3, 'forged');
    checks.heard(3, 'no command');
    await pass(LONG_MS);
    expect(found).toEqual([]);
  });

  it('lines that are refused soon after another was told of, and another part of Shoal began anew meanwhile', async () => {
    const { checks, found, refused, pass } = bench();
    checks.heard(3, 'no command');
    refused(3, 'forged');
    checks.disturbed();
    checks.heard(3, 'no command');
    await pass(LONG_MS);
    expect(found).toEqual([]);
  });

  it('a stop of all VMs by a Shoal that ends, though a command for one was not relayed', () => {
    const { checks, found } = bench({ isClosing: true });
    checks.received(7, lineOf('stop', 7, 7, 1));
    checks.acted('stop', 7);
    expect(found).toEqual([]);
  });

  it('what is left of commands when a part of Shoal begins anew', async () => {
    const { checks, found, pass } = bench();
    checks.received(3, LINE);
    checks.heard(3, 'no command');
    checks.disturbed();
    checks.heard(3, LINE);
    checks.acted('start', 7);
    await pass(LONG_MS);
    expect(found).toEqual([]);
  });
});

describe('the checks of relayed commands find', () => {
  it.each([
    ['one for another VM than the tables say', lineOf('start', 8, 3, 1), /is 7's in the tables/],
    ['one that another guest is to relay', lineOf('start', 7, 4, 1), /VM 4 is to relay/],
    ['what is no command', 'start vm=7', /is none/],
  ])('%s', (_what, line, how) => {
    const { checks, found } = bench();
    checks.received(3, line);
    expect(found).toEqual([expect.stringMatching(how)]);
  });

  it('one that is given twice', () => {
    const { checks, found } = bench();
    checks.received(3, LINE);
    checks.received(3, LINE);
    expect(found).toEqual([expect.stringContaining('twice')]);
  });

  it.each([
    ['nobody has relayed', 3, undefined],
    ['somebody has changed', 3, lineOf('start', 7, 3, 2)],
    ['another guest has relayed', 4, LINE],
  ])('one that acts, and that %s', (_what, by, line) => {
    const { checks, found } = bench();
    checks.received(3, LINE);
    if (line !== undefined) checks.heard(by, line);
    checks.acted('start', 7);
    expect(found).toEqual([expect.stringContaining('has not relayed it as it was signed')]);
  });

  it.each([
    ['start', true],
    ['stop', false],
  ] as const)('a %s command that acts without having been relayed, closing: %s', (kind, isClosing) => {
    const { checks, found } = bench({ isClosing });
    checks.received(7, lineOf(kind, 7, 7, 1));
    checks.acted(kind, 7);
    expect(found).toEqual([expect.stringContaining('has not relayed it as it was signed')]);
  });

  it('one that is relayed in time and goes direct all the same', async () => {
    const { checks, found, event, pass } = bench();
    checks.received(3, LINE);
    await pass(5);
    checks.heard(3, LINE);
    event({ vm: 7, text: 'the start command for VM 7 goes direct', figures: { through: 3, limit_ms: 200 } });
    expect(found).toEqual([expect.stringContaining('has relayed it in time')]);
  });

  it('a repetition that nobody is told of', async () => {
    const { checks, found, pass } = bench();
    checks.received(3, LINE);
    checks.heard(3, LINE);
    checks.heard(3, LINE);
    await pass(LONG_MS);
    expect(found).toEqual([expect.stringContaining('nobody is told')]);
  });

  it('a good one that is refused', () => {
    const { checks, found, refused } = bench();
    checks.received(3, LINE);
    checks.heard(3, LINE);
    refused(3, 'replayed');
    expect(found).toEqual([expect.stringContaining('none but good ones')]);
  });
});
