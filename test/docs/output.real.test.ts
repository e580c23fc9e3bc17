import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/mod.ts';
import { connect } from '../../src/client/mod.ts';
import { PARAMETERS } from '../../src/fleet/mod.ts';
import { eventually, TestFleet } from '../driver/fleet.ts';
import { shoal } from '../driver/shoal-process.ts';
import { disagreements, type Field, fieldsOf } from './json-fields.ts';
import { Page } from './page.ts';

/** The built-in image prints nothing in normal operation; this one prints on request. */
const TALKING_IMAGE = 'includeos/build/shoal-guest-test.elf';

const page = Page.read('docs/commands.md');

function fieldsIn(command: string): Field[] {
  return fieldsOf(page.section(`\`shoal ${command}\``) ?? '');
}

describe('the JSON fields that docs/commands.md calls stable', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await TestFleet.start({ flags: ['--image', TALKING_IMAGE] });
  });
  afterAll(() => fleet?.stop());

  test('are there for every command that takes -o json', () => {
    // The `--output` of `service` is the file that it writes.
    const json = COMMANDS.filter(
      ({ name, flags }) => name !== 'service' && flags.some((flag) => flag.name === 'output'),
    );
    // The output of `params` has the parameters as names; a test of its own is below.
    const without = json.filter(({ name }) => name !== 'params' && fieldsIn(name).length === 0);
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  test('params, which has a number for each parameter', async () => {
    const printed = await fleet.json('params');
    expect(printed).toEqual(Object.fromEntries(Object.keys(PARAMETERS).map((name) => [name, expect.any(Number)])));
  });

  test('up, when it is ready', () => {
    expect(disagreements(fleet.ready, fieldsIn('up'))).toEqual([]);
  });

  test('inspect, which has those of ps beside its own', async () => {
    const shared = fieldsIn('ps').flatMap(({ path, ...about }) =>
      path.startsWith('vms[].') ? { path: path.slice('vms[].'.length), ...about } : [],
    );
    expect(disagreements(await fleet.json('inspect', ['1']), [...shared, ...fieldsIn('inspect')])).toEqual([]);
  });

  test('inspect --tree, which has none of the others', async () => {
    const ofTree = fieldsIn('inspect').filter(({ path }) => /^(actors|left_out)\b/.test(path));
    const always = ofTree.map((field) => ({ ...field, mayBeAbsent: false }));
    expect(disagreements(await fleet.json('inspect', ['--tree']), always)).toEqual([]);
  });

  const calls: readonly (readonly [command: string, args: readonly string[]])[] = [
    ['send', ['x']],
    ['load', ['--duration', '1']],
    ['ps', []],
    ['hosts', []],
    ['ip', []],
    ['doctor', []],
    ['explain', ['R5']],
    ['explain', ['VM_UNKNOWN']],
    ['explain', ['free_count']],
    ['explain', ['poison']],
    ['explain', ['last', '5']],
    ['explain', ['vm', '1']],
    ['scale', ['1']],
    ['restart', []],
  ];
  test.each(calls)('%s %j', async (command, args) => {
    expect(disagreements(await fleet.json(command, args), fieldsIn(command))).toEqual([]);
  });

  test('explain request', async () => {
    await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
    await client.request('x', { id: 'mine' });
    expect(disagreements(await fleet.json('explain', ['request', 'mine']), fieldsIn('explain'))).toEqual([]);
  });

  test.each(['version', 'image'])('%s, which needs no fleet', async (command) => {
    const { stdout } = await shoal([command, '-o', 'json']);
    expect(disagreements(JSON.parse(stdout), fieldsIn(command))).toEqual([]);
  });

  test('events, a line each', async () => {
    const { stdout } = await fleet.run('events', ['-o', 'json', '-n', '1000']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.flatMap((line) => disagreements(JSON.parse(line), fieldsIn('events')))).toEqual([]);
    expect(lines.length).toBeGreaterThan(3);
  });

  test('logs', async () => {
    await fleet.run('send', ['--op', 'flood', '10']);
    const lines = await eventually('the VM has printed something', async () => {
      const printed = await fleet.json('logs', ['1']);
      return Array.isArray(printed) && printed.length > 0 ? printed : undefined;
    });
    expect(disagreements(lines, fieldsIn('logs'))).toEqual([]);
  });

  test.each(['drain', 'rm'])('%s', async (command) => {
    const { vms } = await fleet.until('one is ready', (now) => now.vms.some((vm) => vm.state === 'ready'));
    const vm = vms.find(({ state }) => state === 'ready')?.id_vmachine;
    expect(disagreements(await fleet.json(command, [String(vm)]), fieldsIn(command))).toEqual([]);
  });
});
