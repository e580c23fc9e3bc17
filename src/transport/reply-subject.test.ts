import { expect, test } from 'vitest';
import { isReplySubject } from './reply-subject.ts';
import { subjectsOf } from './subjects.ts';

test.each(['_INBOX.abc.1', '_R_.x', 'shoal-replies.1', 'shoal.replies.7', 'orders', 'a*.b>'])(
  'a reply may go to %s',
  (subject) => {
    expect(isReplySubject(subject)).toBe(true);
  },
);

const { admin, every, hostAdmin, claim, ...others } = subjectsOf('f');

test.each([
  '',
  ...Object.values(others),
  `${others.hosts}.beat`,
  admin('down'),
  every('down'),
  hostAdmin('a', 'down'),
  claim('a'),
  '$JS.API.STREAM.DELETE.KV_x',
  '$SRV.PING',
  '$SYS.REQ.SERVER.PING',
  'a.*',
  '>',
  'a.>',
])('none may go to %j', (subject) => {
  expect(isReplySubject(subject)).toBe(false);
});
