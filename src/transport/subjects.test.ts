import { describe, expect, test } from 'vitest';
import { subjectsOf } from './subjects.ts';

test('all subjects of a fleet stand under its name', () => {
  const subjects = subjectsOf('north-2');
  expect(subjects).toMatchObject({
    process: 'shoal.north-2.process',
    events: 'shoal.north-2.events',
    hosts: 'shoal.north-2.hosts',
    telemetry: 'shoal.north-2.telemetry',
    adminAll: 'shoal.north-2.admin.*',
  });
  expect(subjects.admin('ps')).toBe('shoal.north-2.admin.ps');
});

describe('a name that would not be one token of a subject is refused with its value', () => {
  test.each(['', 'a.b', 'a b', '*', '>', 'caf\u00e9', 'x'.repeat(33), 'a\nb'])('%j', (name) => {
    expect(() => subjectsOf(name)).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringMatching(/got "[\x20-\x7e]*"$/) }),
    );
  });
});

test('a verb is one token too', () => {
  expect(() => subjectsOf('f').admin('a.b')).toThrow(expect.objectContaining({ code: 'CONFIG_VALUE' }));
});

test('a host has subjects of its own, in which its name is one token', () => {
  const subjects = subjectsOf('f');
  expect(subjects.hostAdmin('node-1.example.org', 'ps')).toBe('shoal.f.host.node-1~example~org.ps');
  expect(subjects.hostAdmin('a', '*')).toBe('shoal.f.host.a.*');
  expect(subjects.claim('a.b')).toBe('shoal.f.claim.a~b');
  expect(subjects.every('hosts')).toBe('shoal.f.every.hosts');
});

test.each(['', '.a', 'a b', 'a~b', '*', 'x'.repeat(64)])('%j is no name of a host', (name) => {
  expect(() => subjectsOf('f').hostAdmin(name, 'ps')).toThrow(
    expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining('name of a host') }),
  );
});
