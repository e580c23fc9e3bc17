/**
 * The commands of one line of shell, each as a list of words. It understands as much of the shell as the examples use: quotes are
 * removed, comments are skipped, and redirections are left out.
 */
export function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const token of tokensOf(line)) {
    if (token.text.startsWith('#') && !token.quoted) break;
    if (!token.quoted && /^(\||\|\||&&|&|;)$/.test(token.text)) commands.push([]);
    else commands.at(-1)?.push(token.text);
  }
  return commands.map(withoutRedirections).filter((words) => words.length > 0);
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

const TOKEN = /\s+|(\|\||&&|[|&;])|((?:[^\s'"|&;\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|(?<=[<>\d])&(?=\d))+)/gy;

function tokensOf(line: string): Token[] {
  return [...line.matchAll(TOKEN)].flatMap(([, operator, word]) => {
    if (operator !== undefined) return { text: operator, quoted: false };
    if (word === undefined) return [];
    const text = word.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g, (_, single, double, escaped) =>
      String(single ?? double ?? escaped),
    );
    return { text, quoted: text !== word };
  });
}

function withoutRedirections(words: readonly string[]): string[] {
  const end = words.findIndex((word) => /^\d?[<>]/.test(word));
  const kept = end < 0 ? [...words] : words.slice(0, end);
  // Variables set for this one command.
  while (/^[A-Z_]+=/.test(kept[0] ?? '')) kept.shift();
  return kept;
}
