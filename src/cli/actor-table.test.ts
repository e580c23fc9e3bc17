import { expect, test } from 'vitest';
import { actorTable } from './actor-table.ts';

test('actors stand below their parents; those that are left out are said', () => {
  const row = { state: 'running', depth: 0, handled: 12, restarts: 1, shard: 'main' } as const;
  const actors = ['/', '/core', '/core/router'].map((path) => ({ path, ...row }));
  expect(actorTable({ actors, left_out: 2 })).toBe(
    [
      'ACTOR       STATE    WAITING  HANDLED  RESTARTS  SHARD',
      '/           running        0       12         1  main',
      '  core      running        0       12         1  main',
      '    router  running        0       12         1  main',
      'and 2 more',
      '',
    ].join('\n'),
  );
});
