import { expect, test } from 'vitest';
import type { ErrorEnvelope } from '../../errors.ts';
import { eventOfVm } from './events.ts';

const gone = (message: string): ErrorEnvelope => ({ name: 'ShoalError', code: 'VM_GONE', message, details: {} });

test.each([
  ['The VM ended unexpectedly: killed by SIGKILL', 'VM 1 is gone: killed by SIGKILL'],
  [
    'The VM ended unexpectedly: killed by SIGKILL; QEMU said: no',
    'VM 1 is gone: killed by SIGKILL: The VM ended unexpectedly: killed by SIGKILL; QEMU said: no',
  ],
])('an error that only repeats the reason of an event is in it, and not in its text: %s', (message, text) => {
  const error = gone(message);
  expect(eventOfVm('vm-gone', 1, 'a', 'VM 1 is gone: killed by SIGKILL', {}, error)).toEqual({
    kind: 'event',
    event: { kind: 'vm-gone', vm: 1, host: 'a', text, error },
  });
});

test.each([
  [true, { spare: true }],
  [false, {}],
])('the start of a VM says whether that is a spare, and nothing if it is none: %s', (spare, field) => {
  expect(eventOfVm('vm-start', 1, 'a', 'VM 1 is started', { spare })).toEqual({
    kind: 'event',
    event: { kind: 'vm-start', vm: 1, host: 'a', text: 'VM 1 is started', ...field },
  });
});
