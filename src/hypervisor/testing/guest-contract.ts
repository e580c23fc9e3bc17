import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `docs/guest-contract.md` for the tests that hold it equal to the code. */
export interface Contract {
  readonly text: string;
  /** The rows of the one table with just these headings, as cells. @throws if there is none, or more than one */
  table(...headings: readonly string[]): readonly (readonly string[])[];
}

export interface ExampleFrame {
  readonly fromGuest: boolean;
  readonly bytes: Buffer;
}

export function readContract(): Contract {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/guest-contract.md'), 'utf8');
  const lines = text.split('\n');
  return {
    text,
    table(...headings) {
      const starts = lines.flatMap((line, at) => (line === `| ${headings.join(' | ')} |` ? [at] : []));
      const [start] = starts;
      if (start === undefined || starts.length > 1)
        throw new Error(`${starts.length} tables are headed ${headings.join(', ')}`);
      const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'));
      return lines.slice(start + 2, end).map(cells);
    },
  };
}

/** The exchange of bytes at the contract's end. */
export function exampleFrames({ text }: Contract): readonly ExampleFrame[] {
  const block = /^```hex\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? '';
  return [...block.matchAll(/^([<>]) ([0-9a-f ]+)$/gm)].map(([, side, bytes = '']) => ({
    fromGuest: side === '<',
    bytes: Buffer.from(bytes.replaceAll(' ', ''), 'hex'),
  }));
}

function cells(row: string): readonly string[] {
  return row
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split('|')
    .map((cell) => cell.trim());
}
