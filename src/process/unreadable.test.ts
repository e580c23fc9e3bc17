/** What cannot be read says nothing: looked at by a process that has no descriptor left, so that nothing can be opened. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MOD = join(import.meta.dirname, 'mod.ts');

/** Everything is loaded before the descriptors are used up. */
const SCRIPT = `
import { openSync, closeSync } from 'node:fs';
import { bootId, checkOpenFiles, cpuDemandMsOf, findByArgument, identify, isAlive, probe, signalProcess, whenGone } from '${MOD}';
import { systemClock } from '${join(import.meta.dirname, '..', 'actors', 'mod.ts')}';
const self = identify(process.pid);
const other = { ...self, startTicks: self.startTicks + 1 };
const before = { self: probe(self), other: probe(other) };
const files = [];
const codeOf = (act) => {
  try {
    return act() ?? 'none';
  } catch (error) {
    return error.code;
  }
};
const limit = codeOf(() => {
  for (;;) files.push(openSync('/dev/null', 'r'));
});
const during = {
  limit,
  self: probe(self),
  other: probe(other),
  isAlive: isAlive(other),
  signalled: signalProcess(other, 'SIGKILL'),
  whenGone: await whenGone(other, 0, systemClock),
  cpuDemand: cpuDemandMsOf(self) ?? 'unknown',
  findByArgument: codeOf(() => findByArgument('no such argument')),
  identify: codeOf(() => identify(process.pid)),
};
for (const file of files.splice(0, 4)) closeSync(file);
const start = codeOf(() => checkOpenFiles(0));
for (const file of files.splice(0)) closeSync(file);
console.log(JSON.stringify({ before, during, start, after: codeOf(() => checkOpenFiles(0)) }));
`;

test('a process is neither gone nor to be killed because /proc could not be read', async () => {
  const { stdout } = await promisify(execFile)('/bin/sh', [
    '-c',
    'ulimit -n 80; exec "$0" --input-type=module -e "$1"',
    process.execPath,
    SCRIPT,
  ]);
  expect(JSON.parse(stdout)).toEqual({
    before: { self: 'alive', other: 'gone' },
    during: {
      limit: 'EMFILE',
      self: 'unknown',
      other: 'unknown',
      isAlive: true,
      signalled: false,
      whenGone: false,
      cpuDemand: 'unknown',
      findByArgument: 'EMFILE',
      identify: 'EMFILE',
    },
    start: 'OPEN_FILES_LIMIT',
    after: 'none',
  });
});
