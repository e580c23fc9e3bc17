import { expect, test } from 'vitest';
import { obstacleOf } from './qemu-facts.ts';

test.each([
  ['bwrap: Unknown option --as-pid-1', 'bubblewrap is too old', 'a newer bubblewrap'],
  ['bwrap: execvp /opt/small: No such file or directory', 'cannot be run', 'the program itself'],
  ['bwrap: Creating new namespace failed: Operation not permitted', 'no namespaces', 'CAP_SYS_ADMIN'],
])('what hinders is told by what bubblewrap says: %s', (said, why, remedy) => {
  expect(obstacleOf(said, 'own')).toEqual({
    why: expect.stringMatching(`${why}.*\\(${said}\\)`),
    remedy: expect.stringContaining(remedy),
  });
});
