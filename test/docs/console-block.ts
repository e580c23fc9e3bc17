/** One command of a session, with its documented output. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

/** Splits a session at its prompts, `$ `. */
export function stepsOf(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf('\n');
      return end < 0
        ? { command: step, output: '' }
        : { command: step.slice(0, end), output: step.slice(end + 1).trimEnd() };
    });
}

/** A text without the parts that differ from run to run: figures, digests of images, the width of columns, the name of the host. */
export function withoutFigures(text: string, host: string): string {
  return text
    .replaceAll(host, 'HOST')
    .replaceAll('laptop', 'HOST')
    .replace(/\b[0-9a-f]{12}\b/g, 'DIGEST')
    .replace(/\d+(?:[.:]\d+)*/g, '0')
    .replace(/\b0 ?(?:ms|s|min 0 s|m 0s)\b/g, '0s')
    .replace(/[ \t]+/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();
}
