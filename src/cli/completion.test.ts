import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';
import { bashScript } from './completion/bash.ts';
import { completionsOf } from './completion/completions.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';

const all = COMMANDS.map(completionsOf);

describe('completion in bash', () => {
  /** What bash offers for the last of the words. */
  function offered(...words: string[]): string[] {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const script = `${bashScript(all)}\nCOMP_WORDS=(${quoted}) COMP_CWORD=${words.length - 1}; _shoal; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8', timeout: 30_000 })
      .split('\n')
      .filter((word) => word !== '');
  }

  test('offers the commands', () => {
    expect(offered('shoal', 'p')).toEqual(['ps', 'params']);
    expect(offered('shoal', '').sort()).toEqual(['help', ...COMMANDS.map(({ name }) => name)].sort());
  });

  test('offers the words and flags of a command', () => {
    expect(offered('shoal', 'ip', '')).toEqual(
      expect.arrayContaining(['ls', 'add', 'rm', '--data', '--output', '-o', '--help']),
    );
    expect(offered('shoal', 'up', '--a')).toEqual(['--accel']);
    expect(offered('shoal', 'explain', '')).toContain('vm');
  });

  test('offers the values of a flag that has so many, paths, and for others nothing', () => {
    expect(offered('shoal', 'ps', '-o', '')).toEqual(['table', 'json']);
    expect(offered('shoal', 'up', '--accel', 'k')).toEqual(['kvm']);
    expect(offered('shoal', 'send', '--file', 'package.j')).toEqual(['package.json']);
    expect(offered('shoal', 'up', '--min', '')).toEqual([]);
  });
});

test.each([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
])('the script for %s names every command and every flag', (_, scriptOf) => {
  const script = scriptOf(all);
  for (const { name, flags } of COMMANDS) {
    expect(script).toContain(name);
    for (const flag of flags) expect(script).toContain(flag.name);
  }
});
