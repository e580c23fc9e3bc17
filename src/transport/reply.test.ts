import { headers as natsHeaders } from 'nats';
import { expect, test } from 'vitest';
import { ReplyReader } from './reply.ts';

type Message = Parameters<ReplyReader['read']>[0];

function message(fields: Readonly<Record<string, string>>): Message {
  const headers = natsHeaders();
  for (const [name, value] of Object.entries(fields)) headers.append(name, value);
  // The reader uses only these fields.
  return { headers, data: new Uint8Array(0) } as unknown as Message;
}

const reader = new ReplyReader('f', () => 'h:4222');

test('an error from a stranger does not steer the terminal that it is shown on, and does not fill it', () => {
  const said = `\u001b[2Jowned ${'x'.repeat(10_000)}`;
  const error = reader.read(message({ 'Nats-Service-Error-Code': `5\u001b[m`, 'Nats-Service-Error': said }));
  expect(error).toMatchObject({
    code: 'REQUEST_VM_FAILED',
    message: expect.stringMatching(/^[\x20-\x7e]{1,10000}$/),
    details: { status: expect.stringMatching(/^[\x20-\x7e]+$/) },
  });
});

test.each([
  ['404', 'operation-unknown', 'REQUEST_OPERATION_UNKNOWN'],
  ['404', '', 'REQUEST_OPERATION_UNKNOWN'],
  ['404', 'bad-request', 'REQUEST_INVALID'],
  ['409', 'bad-request', 'REQUEST_INVALID'],
  ['400', 'id-reused', 'REQUEST_INVALID'],
  ['502', 'constructor', 'REQUEST_VM_FAILED'],
])('status %s with the reason %j is %s', (status, reason, code) => {
  const fields = { 'Nats-Service-Error-Code': status, ...(reason === '' ? {} : { 'Shoal-Reason': reason }) };
  expect(reader.read(message(fields))).toMatchObject({ code, details: { status } });
});

test('a host and a VM from a stranger are text and number, or nothing', () => {
  expect(reader.read(message({ 'Shoal-Vm': '1e9', 'Shoal-Host': 'a\u001b[2J' }))).toMatchObject({
    vm: undefined,
    host: 'a\\u001b[2J',
  });
});

test('a content type from a stranger is one, or nothing', () => {
  const read = (type: string) => reader.read(message({ 'Content-Type': type }));
  expect(read('image/png')).toMatchObject({ contentType: 'image/png' });
  for (const bad of ['a\u001b[2J', 'x'.repeat(256)]) expect(read(bad)).toMatchObject({ contentType: undefined });
});
