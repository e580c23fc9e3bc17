import { spawn } from 'node:child_process';
import { notBuilt } from './not-built.ts';

/** What a script of the checkout begins its own lines with. */
const OWN = /^(?:includeos|setup): /;
/** As gcc tells of a fault; the lines after it draw the place. */
const FAULT = /: (?:fatal )?error: /;

/**
 * Runs a script of the checkout to its end.
 * @param say gets each line that it writes, as `shown` has made it
 * @throws SERVICE_BUILD with its own last line: what is missing; or the first fault that the compiler tells, if that ends it
 */
export async function runScript(
  program: string,
  [script, ...args]: readonly [string, ...string[]],
  say: (line: string) => void,
  shown: (line: string) => string = (line) => line,
): Promise<void> {
  const child = spawn(program, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  let fault: string | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.map(shown)) {
        if (line.trim() !== '') last = line;
        if (FAULT.test(line)) fault ??= line;
        say(line);
      }
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  const why = OWN.test(last) ? last.replace(OWN, '') : (fault ?? last);
  throw notBuilt(why === '' ? `${script} ended with ${code}` : why, {
    details: { script, code },
  });
}
