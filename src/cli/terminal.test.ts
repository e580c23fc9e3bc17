import { expect, test } from 'vitest';
import { sendHint } from './terminal.ts';

test('the hint is a command line for the very fleet', () => {
  expect(sendHint({ text: () => undefined })).toBe('bin/shoal send "some text"');
  const flags: Readonly<Record<string, string>> = { data: "/tmp/it's here", fleet: 'blue' };
  expect(sendHint({ text: (name) => flags[name] })).toBe(
    `bin/shoal send --data '/tmp/it'\\''s here' --fleet blue "some text"`,
  );
});

test('no password is shown', () => {
  const nats = 'nats://user:secret@127.0.0.1:4222,nats://token@b:4222';
  expect(sendHint({ text: (name) => (name === 'nats' ? nats : undefined) })).toBe(
    'bin/shoal send --nats nats://127.0.0.1:4222,nats://b:4222 "some text"',
  );
});
