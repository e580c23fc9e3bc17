import { expect, test } from 'vitest';
import { runScript } from './run-script.ts';

/** Runs these lines of shell. */
const run = (text: string, said: string[] = []) => runScript('sh', ['-c', text], (line) => said.push(line));

test('each line is told', async () => {
  const said: string[] = [];
  await run('echo one; echo; echo two >&2', said);
  expect(said.toSorted()).toEqual(['', 'one', 'two']);
});

test.each([
  [
    'its own last line that is none of blanks, without the name of the script',
    'echo includeos: no gcc; echo; exit 3',
    'no gcc',
  ],
  [
    'the first fault that a compiler tells',
    "echo 'a.cpp:1:9: error: expected'; echo '  int x = ;'; echo 'a.cpp:2:1: fatal error: more'; echo '  | ^'; exit 1",
    'a.cpp:1:9: error: expected',
  ],
  [
    'its own last line, also after faults of a compiler',
    "echo 'a.c:1:9: error: expected'; echo includeos: gcc refuses it; exit 1",
    'gcc refuses it',
  ],
  ['its code, if it says nothing', 'exit 3', '-c ended with 3'],
])('one that fails is told with %s', async (_, text, why) => {
  await expect(run(text)).rejects.toMatchObject({ code: 'SERVICE_BUILD', message: `No image was built: ${why}` });
});
