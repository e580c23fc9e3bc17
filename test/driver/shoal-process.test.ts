import { expect, onTestFinished, test } from 'vitest';
import { ShoalProcess } from './shoal-process.ts';

/** A program in the place of `shoal`. */
function running(script: string): ShoalProcess {
  const program = new ShoalProcess([], { command: 'sh', before: ['-c', script] });
  onTestFinished(() => {
    program.signal('SIGKILL');
    return program.finished.then(() => undefined);
  });
  return program;
}

test('whoever waits for a line costs no listener for each piece that comes before', async () => {
  const program = running('exec sleep 60');
  const { child } = program;
  const listeners = (): number[] => ['close', 'error'].map((event) => child.listenerCount(event));
  const before = listeners();
  const said = Promise.all([program.stdoutHas(/piece 19/), program.stderrHas(/piece 19/)]);
  for (let piece = 0; piece < 20; piece++) {
    for (const stream of [child.stdout, child.stderr]) stream?.emit('data', `piece ${piece}\n`);
    await Promise.resolve();
    expect(listeners()).toEqual(before);
  }
  await said;
  expect(await program.firstLine()).toBe('piece 0');
});

test('a line that comes with the end is found, and one that does not come told with the rest', async () => {
  const program = running('echo first; echo complaint >&2; exit 3');
  expect(await program.firstLine()).toBe('first');
  await program.stderrHas(/complaint/);
  await expect(program.stdoutHas(/second/)).rejects.toThrow('shoal ended with 3 without saying /second/: complaint\n');
});
