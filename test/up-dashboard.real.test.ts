import { expect, test } from 'vitest';
import { willEnd } from './driver/end-left.ts';
import { eventually, randomPool, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { ShoalProcess, shoal } from './driver/shoal-process.ts';
import { Terminal } from './driver/terminal.ts';

const NOTHING = { processes: [], runDirectories: [], ports: [] };
const SANE = { sameSettings: true, alternateScreen: false, cursorShown: true };

interface Up {
  readonly terminal: Terminal;
  readonly data: string;
  readonly pool: string;
}

async function up(...flags: readonly string[]): Promise<Up> {
  const [data, pool] = [temporaryFolder(), randomPool(4)];
  willEnd({ data, pool });
  const terminal = await Terminal.open({ width: 120 });
  await terminal.shoal('up', '--data', data, '--pool', pool, ...flags);
  return { terminal, data, pool };
}

test('up shows the dashboard once it is ready, and q ends the fleet in order, where it can be seen', async () => {
  const { terminal, ...fleet } = await up();
  await terminal.shows('the VM', /\n│ *1 +ready +127\./);
  await terminal.shows('the greeting', /VM 1 answered "Hello from a unikernel" with "HELLO FROM A UNIKERNEL"\./);
  await terminal.shows('how to send text', /Send more: bin\/shoal send --data \S+ "some text"/);
  await terminal.shows('what q does', /\n q end the fleet /);
  expect(await shoal(['send', '--data', fleet.data, 'hi'])).toMatchObject({ stdout: 'HI\n' });
  await terminal.keys('q');
  expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  expect(leftovers(fleet)).toEqual(NOTHING);
  const text = (await terminal.screen()).join('\n');
  // The lines of the start are there again, and those of the end follow them.
  expect(text).toMatch(/nats-server runs at[\s\S]*Ready: [\s\S]*ending everything[\s\S]*Everything has ended\./);
});

test('Ctrl-C in the dashboard ends it in order, and once more at once', async () => {
  const { terminal, ...fleet } = await up();
  await terminal.shows('the VM', /\n│ *1 +ready +127\./);
  const send = new ShoalProcess(['send', '--data', fleet.data, '--op', 'spin', '60000', '--deadline', '60000']);
  await terminal.shows('that it is busy', /in flight +1 /);
  await terminal.keys('C-c');
  await terminal.shows('that the end waits', /ending everything that was started; Ctrl-C ends it at once/);
  await terminal.keys('C-c');
  expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  expect(leftovers(fleet)).toEqual(NOTHING);
  expect(await send.finished).toMatchObject({ exitCode: 1 });
});

test('down from elsewhere gives the terminal back too', async () => {
  const { terminal, ...fleet } = await up();
  await terminal.shows('the VM', /\n│ *1 +ready +127\./);
  expect(await shoal(['down', '--data', fleet.data])).toMatchObject({ exitCode: 0 });
  expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  expect(leftovers(fleet)).toEqual(NOTHING);
});

test('a terminal that is closed ends the fleet in order', async () => {
  const { terminal, ...fleet } = await up();
  await terminal.shows('the VM', /\n│ *1 +ready +127\./);
  await terminal.close();
  await eventually('nothing is left', () => {
    const { processes, runDirectories, ports } = leftovers(fleet);
    return processes.length + runDirectories.length + ports.length === 0 ? true : undefined;
  });
});

test('--plain keeps to lines', async () => {
  const { terminal } = await up('--plain');
  await terminal.shows('that it is ready', /Ready: "Hello from a unikernel" went to VM 1/);
  await terminal.keys('C-c');
  expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  await terminal.shows('the end', /Everything has ended\./);
});

test('what cannot start says why on an untouched terminal', async () => {
  const { terminal } = await up('--image', '/nowhere/at/all');
  expect(await terminal.left()).toEqual({ exitCode: 1, ...SANE });
  await terminal.shows('the reason', /The guest image \/nowhere\/at\/all cannot be read/);
});

test('a terminal that stands still holds up neither the fleet nor its end', async () => {
  const { terminal, ...fleet } = await up();
  await terminal.shows('the VM', /\n│ *1 +ready +127\./);
  await terminal.flow('stop');
  // Each VM that starts or ends is drawn.
  expect(await shoal(['restart', '--data', fleet.data])).toMatchObject({ exitCode: 0 });
  await eventually('VM 2 answers', async () => {
    const { stdout } = await shoal(['send', '-o', 'json', '--data', fleet.data, 'hi']);
    return /"vm":2/.test(stdout) ? true : undefined;
  });
  await terminal.flow('go');
  await terminal.shows('what happened meanwhile', /\n│ *2 +ready +127\./);
  await terminal.flow('stop');
  expect(await shoal(['down', '--data', fleet.data])).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual(NOTHING);
  await terminal.flow('go');
  expect((await terminal.left()).exitCode).toBe(0);
});
