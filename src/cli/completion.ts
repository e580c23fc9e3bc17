import type { Command } from './command.ts';
import { bashScript } from './completion/bash.ts';
import { type Completions, completionsOf } from './completion/completions.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';
import { printData } from './output.ts';
import { usage } from './parse.ts';

const SCRIPTS: Readonly<Record<string, (all: readonly Completions[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** @param commands all commands, including this one */
export function completionCommand(commands: () => readonly Command[]): Command {
  return {
    name: 'completion',
    summary: 'prints a script that makes a shell complete commands, words and flags',
    words: 'bash | zsh | fish',
    wordsMax: 1,
    flags: [],
    examples: [
      ['source <(shoal completion bash)', 'for this shell; in ~/.bashrc for all'],
      ['shoal completion zsh > ~/.zsh/_shoal', 'a folder of $fpath'],
      ['shoal completion fish > ~/.config/fish/completions/shoal.fish', 'fish finds it by itself'],
    ],
    run({ words: [shell = ''] }) {
      const script = Object.entries(SCRIPTS).find(([name]) => name === shell)?.[1];
      if (script === undefined) {
        throw usage({ name: 'completion' }, `expected bash, zsh or fish, got ${JSON.stringify(shell)}`);
      }
      printData(script(commands().map(completionsOf)));
      return Promise.resolve(0);
    },
  };
}
