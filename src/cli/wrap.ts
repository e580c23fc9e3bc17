const COLUMNS_MIN = 40;

/** Breaks the lines of paragraphs and lists (`- `) anew, none longer than `columns` unless a single word is. */
export function wrap(text: string, columns: number): string {
  const width = Math.max(columns, COLUMNS_MIN);
  return text
    .split(/\n{2,}/)
    .map((paragraph) =>
      paragraph
        .split(/\n(?=- )/)
        .map((item) => filled(item, width))
        .join('\n'),
    )
    .join('\n\n');
}

function filled(item: string, width: number): string {
  const indent = item.startsWith('- ') ? '  ' : '';
  const lines: string[] = [];
  let line = '';
  // What is in code stays on one line, so that it can be copied.
  for (const [word] of item.matchAll(/(?:`[^`]*`|\S)+/g)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || longer.length <= width) line = longer;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line].join('\n');
}
