/** `bin/node test/docs/write-help.ts` puts the help of each command into `docs/commands.md`, and adds missing sections. */
import { readFileSync, writeFileSync } from 'node:fs';
import { COMMANDS } from '../../src/cli/mod.ts';
import { helpBlock } from './help-blocks.ts';

const PATH = 'docs/commands.md';

let page = readFileSync(PATH, 'utf8');
for (const command of COMMANDS) {
  const fenced = `\`\`\`text\n${helpBlock(command)}\n\`\`\``;
  const old = new RegExp(`\`\`\`text\\nshoal ${command.name} - [^]*?\\n\`\`\``);
  if (old.test(page)) page = page.replace(old, () => fenced);
  else page = `${page.trimEnd()}\n\n## \`shoal ${command.name}\`\n\n${fenced}\n`;
}
writeFileSync(PATH, page);
