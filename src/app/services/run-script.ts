import { spawn } from 'node:child_process';
import { ShoalError } from '../../errors.ts';

/**
 * Runs a script of the checkout to its end.
 * @param say gets each line that it writes
 * @throws SERVICE_BUILD with its own last line: what is missing, or what the compiler refuses
 */
export async function runScript(
  program: string,
  [script, ...args]: readonly [string, ...string[]],
  say: (line: string) => void,
): Promise<void> {
  const child = spawn(program, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.trim() !== '') last = line;
        say(line);
      }
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  const why = last.replace(/^(includeos|setup): /, '');
  throw new ShoalError('SERVICE_BUILD', `No image was built: ${why === '' ? `${script} ended with ${code}` : why}`, {
    details: { script, code },
  });
}
