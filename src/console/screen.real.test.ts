import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Terminal } from '../../test/driver/terminal.ts';

const FAILING = fileURLToPath(new URL('kit/failing-screen.ts', import.meta.url));

test.each(['throws', 'rejects'])(
  'a program that %s gives the terminal back first, and says what failed',
  async (how) => {
    const terminal = await Terminal.open();
    await terminal.run(process.execPath, FAILING, how);
    await terminal.shows('that it has drawn', /│drawn +│/);
    await terminal.keys('x');
    const left = { exitCode: 1, sameSettings: true, alternateScreen: false, cursorShown: true };
    expect(await terminal.left()).toEqual(left);
    await terminal.shows('the reason', /Error: it failed/);
  },
);
