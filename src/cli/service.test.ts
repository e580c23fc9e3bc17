import { expect, test } from 'vitest';
import { parse } from './parse.ts';
import { serviceCommand } from './service.ts';

test.each([
  ['', 'expected `service new`, `service build` or `service test`, got nothing'],
  ['run x.ts', 'got "run"'],
  ['new', 'give it a name'],
  ['test', 'give the file to test'],
  ['new hello --output x.elf', '--output does nothing with `shoal service new`'],
  ['build hello.ts --lang cpp', '--lang does nothing with `shoal service build`'],
  ['test hello.ts --source x', '--source does nothing with `shoal service test`'],
  ['build a.ts --source b.ts', 'give either a file or --source, not both'],
  ['test hello.wasm', '`service test` is for TypeScript and JavaScript'],
  ['test hello.cpp --text x', 'ask it with `shoal image check`'],
  ['new hello --lang rust', 'expected --lang to be ts or wasm or cpp, got "rust"'],
  [
    `test ${import.meta.filename}`,
    `there is no service.test.test.ts beside ${import.meta.filename}: write one, or give a request by --text`,
  ],
])('`shoal service %s` is refused with its reason', async (line, why) => {
  const run = async (): Promise<number> => serviceCommand.run(parse(serviceCommand, line.split(' ').filter(Boolean)));
  await expect(run()).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(why) });
});

test.each([
  ['/no/such/hello.ts', 'there is no such file'],
  [import.meta.dirname, 'Name the file whose default export is the service'],
  ['/dev/null', 'it is no plain file'],
])('`shoal service test %s` says that it is no service, and not that it has no test', async (file, why) => {
  const run = async (): Promise<number> => serviceCommand.run(parse(serviceCommand, ['test', file]));
  await expect(run()).rejects.toMatchObject({ code: 'SERVICE_INVALID', message: expect.stringContaining(why) });
});
