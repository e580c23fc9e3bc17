/** Content types in the frames of a link. */
import { describe, expect, it } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import type { LinkEvent } from '../../fleet/mod.ts';
import type { GuestConnection } from '../port.ts';
import { contentTypeBytes, splitTyped } from './content-type-bytes.ts';
import { FrameType, NO_BYTES } from './frame.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';
import { KeepAlive } from './keep-alive.ts';
import { type LinkOptions, link } from './link.ts';

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const TARGET = { vm: 7, address: { id: 1, ip: '127.0.0.1', port: 9000 } };

/** A link that is ready, and its guest, which answers each request with what the test says. */
async function bench(
  options: Partial<LinkOptions>,
  takesTypes: boolean,
  answer: (payload: Buffer) => [number, Buffer],
) {
  const kit = testKit();
  const owner = kit.probe<LinkEvent>();
  const got: [number, string, string][] = [];
  let hear: (bytes: Uint8Array) => void = () => undefined;
  let opened: () => void = () => undefined;
  const parser = new FrameParser({
    frame: (type, low, high, _op, token, payload) => {
      const writer = new FrameWriter();
      const [kind, bytes] = type === FrameType.ping ? [FrameType.pong, NO_BYTES] : answer(Buffer.from(payload));
      if (type !== FrameType.ping) got.push([type, latin1(token), latin1(payload)]);
      // A guest in a test may send any type.
      writer.append(kind as FrameType, low, high, NO_BYTES, token, bytes);
      hear(Buffer.concat(writer.take()));
    },
  });
  const connection: GuestConnection = {
    onOpen: (listener) => {
      opened = listener;
    },
    onBytes: (listener) => {
      hear = listener;
    },
    onClose: () => undefined,
    onDrain: () => undefined,
    write: (bytes) => {
      parser.push(bytes);
      return true;
    },
    close: () => undefined,
  };
  const made = { connect: () => connection, keepAlive: new KeepAlive(kit.clock), ...options };
  const ref = await kit.system.start(link(TARGET, owner.ref, made), { name: 'link' });
  opened();
  await owner.fishFor({ kind: 'link-ready' });
  const what = {
    op: '',
    token: Buffer.from('t'),
    payload: Buffer.from('x'),
    takesTypes,
  } as const;
  const ask = (contentType?: string, token = what.token): void =>
    void ref.tell({ kind: 'request', id: 1, ...what, token, contentType });
  const orphan = (token: Buffer, payload: Buffer): void => {
    const writer = new FrameWriter();
    writer.append(FrameType.typedReply, 1, 0, NO_BYTES, token, payload);
    hear(Buffer.concat(writer.take()));
  };
  return { owner, got, ask, orphan, [Symbol.asyncDispose]: () => kit.shutdown() };
}

const typed = (type: string, text: string): Buffer =>
  Buffer.from(`${String.fromCharCode(type.length)}${type}${text}`, 'latin1');

describe('a link to a guest that has said payload=bytes', () => {
  it('sends each request with its content type, or none, and tells that of the reply', async () => {
    const answer = (payload: Buffer): [number, Buffer] => [FrameType.typedReply, payload];
    await using one = await bench({ payload: 'bytes' }, true, answer);
    one.ask('image/png');
    const reply = await one.owner.expect({ kind: 'link-reply', id: 1 });
    expect(reply).toMatchObject({ contentType: 'image/png', payload: Buffer.from('x') });
    one.ask();
    expect(await one.owner.expect({ kind: 'link-reply' })).toMatchObject({ contentType: 'application/octet-stream' });
    expect(one.got).toEqual([
      [FrameType.typedRequest, 't', '\x09image/pngx'],
      [FrameType.typedRequest, 't', '\x00x'],
    ]);
  });

  it('refuses what is no content type, from whatever host it comes', async () => {
    await using one = await bench({ payload: 'bytes' }, true, () => expect.unreachable());
    for (const bad of ['', ' a', 'a\r\nb', 'x'.repeat(256)]) {
      one.ask(bad);
      expect(await one.owner.expect({ kind: 'link-error' })).toMatchObject({ status: 400 });
    }
  });

  it('takes the longest reply beside the longest token and content type', async () => {
    const [longest, text, token] = ['x'.repeat(255), 'y'.repeat(10_000), Buffer.alloc(256, 't')];
    const answer = (): [number, Buffer] => [FrameType.typedReply, typed(longest, text)];
    await using one = await bench({ payload: 'bytes', textBytesMax: text.length }, true, answer);
    one.ask('a/b', token);
    expect(await one.owner.expect({ kind: 'link-reply' })).toMatchObject({
      contentType: longest,
      payload: Buffer.from(text),
    });
  });

  it('tells the content type of a reply that belongs to an earlier link', async () => {
    await using one = await bench({ payload: 'bytes' }, true, () => [FrameType.typedReply, typed('a/b', 'x')]);
    one.orphan(Buffer.from('t'), typed('image/png', 'y'));
    const orphan = { ok: true, contentType: 'image/png', payload: Buffer.from('y') };
    expect(await one.owner.expect({ kind: 'link-orphaned-reply' })).toMatchObject(orphan);
  });

  it.each([
    ['is longer than the frame', Buffer.from('\x09a/b')],
    ['is missing', NO_BYTES],
    ['could end a header', typed('a\r\nb', 'x')],
  ])('loses the connection over a reply whose content type %s', async (_, payload) => {
    await using one = await bench({ payload: 'bytes' }, true, () => [FrameType.typedReply, Buffer.from(payload)]);
    one.ask('a/b');
    expect(await one.owner.expect({ kind: 'link-lost' })).toMatchObject({ sent: [1] });
  });
});

it.each<[string, Partial<LinkOptions>, boolean]>([
  ['a guest that has said nothing of bytes', { payload: 'bytes' }, false],
  ['an image whose profile says text, whatever its guest says', { payload: 'text' }, true],
])('no content type is sent to %s', async (_, options, takesTypes) => {
  await using one = await bench(options, takesTypes, (payload) => [FrameType.reply, payload]);
  one.ask('image/png');
  await one.owner.expect({ kind: 'link-reply', id: 1 });
  expect(one.got).toEqual([[FrameType.request, 't', 'x']]);
});

it('a content type stands in a frame behind its length', () => {
  expect(latin1(contentTypeBytes('a/b'))).toBe('\x03a/b');
  expect(latin1(contentTypeBytes(undefined))).toBe('\0');
  expect(contentTypeBytes('a/b')).toBe(contentTypeBytes('a/b'));
  const longest = 'x'.repeat(255);
  expect(splitTyped(typed(longest, 'y'))).toEqual({ contentType: longest, payload: Buffer.from('y') });
  // What lies behind the frame in memory is no part of it.
  expect(splitTyped(Buffer.from('\x04a/bc').subarray(0, 4))).toBeUndefined();
});

it('content types that were made once are not kept without end', () => {
  const first = contentTypeBytes('a/first');
  for (let other = 0; other < 300; other++) contentTypeBytes(`a/${other}`);
  expect(contentTypeBytes('a/first')).not.toBe(first);
  expect(contentTypeBytes('a/first')).toEqual(first);
});
