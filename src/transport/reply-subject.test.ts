import { expect, test } from 'vitest';
import { isReplySubject } from './reply-subject.ts';
import { subjectsOf } from './subjects.ts';

test.each(['_INBOX.abc.1', '_R_.x', 'shoal-replies.1', 'shoal.replies.7', 'orders', 'a*.b>'])(
  'a reply may go to %s',
  (subject) => {
    expect(isReplySubject(subject)).toBe(true);
  },
);

const { process, events, telemetry, admin } = subjectsOf('f');

test.each([
  '',
  process,
  events,
  telemetry,
  admin('down'),
  '$JS.API.STREAM.DELETE.KV_x',
  '$SRV.PING',
  '$SYS.REQ.SERVER.PING',
  'a.*',
  '>',
  'a.>',
])('none may go to %j', (subject) => {
  expect(isReplySubject(subject)).toBe(false);
});
