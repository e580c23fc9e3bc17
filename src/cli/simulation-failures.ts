import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { messageOf, ShoalError, whyUnreadable } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { readPlainFileSync } from '../plain-file.ts';
import { checkScenario, type Failure, type Scenario, type SeedsSummary, shrink, simulate } from '../sim/mod.ts';
import { shellWord } from './invoked-as.ts';
import { say } from './output.ts';

/** Of a run that failed, the last lines are kept. */
const LINES_KEPT = 200;
/** Of a file with a scenario, whose trace may be long. */
const SCENARIO_BYTES_MAX = 256 * 1024 ** 2;
const GIT_MS = 5_000;

/** One seed that failed, in the smallest scenario that was found to fail in the same way. */
interface FailedSeed {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly failure: Failure;
  /** Runs that it took to make it smaller. */
  readonly tries: number;
  /** What happened last. */
  readonly lines: readonly string[];
}

/** The failures as they are: to make them smaller may take long, and may be interrupted. */
export function asTheyAre({ failures }: SeedsSummary): readonly FailedSeed[] {
  return failures.map(({ seed, scenario, failure }) => ({ seed, scenario, failure, tries: 0, lines: [] }));
}

/** Each failure in a smaller scenario, with its last events. */
export async function smaller({ failures }: SeedsSummary): Promise<readonly FailedSeed[]> {
  const failed: FailedSeed[] = [];
  for (const { seed, scenario, failure } of failures) {
    say(`making the failure of seed ${seed} smaller`);
    const shrunk = await shrink(scenario, failure);
    failed.push({ seed, ...shrunk, lines: await lastLines(shrunk.scenario) });
  }
  return failed;
}

/** The content of a file of failures, and the command that repeats the first. */
export function failuresIn(
  path: string,
  failed: readonly FailedSeed[],
): { readonly command: string; readonly text: string } {
  const command = `shoal simulate --scenario ${shellWord(path)} --lines`;
  const content = { commit: commitHere(), command, ...failed[0], others: failed.slice(1) };
  return { command, text: `${JSON.stringify(content, null, 2)}\n` };
}

/**
 * The scenario of a file of failures.
 * @throws CONFIG_VALUE naming the file, and the field if one is wrong
 */
export function readScenario(path: string): Scenario {
  const content = parsed(path, textOf(path));
  if (!isRecord(content) || !('scenario' in content)) {
    throw refused(path, 'it has no field "scenario"');
  }
  try {
    return checkScenario(content['scenario']);
  } catch (cause) {
    throw refused(path, messageOf(cause), cause);
  }
}

function textOf(path: string): string {
  try {
    return readPlainFileSync(path, SCENARIO_BYTES_MAX).toString();
  } catch (cause) {
    throw new ShoalError('CONFIG_VALUE', `The scenario ${path} cannot be read: ${whyUnreadable(cause)}`, { cause });
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refused(path, `it is no JSON (${messageOf(cause)})`, cause);
  }
}

async function lastLines(scenario: Scenario): Promise<readonly string[]> {
  const lines: string[] = [];
  await simulate(scenario, (line) => {
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  });
  return lines;
}

function refused(path: string, why: string, cause?: unknown): ShoalError {
  return new ShoalError('CONFIG_VALUE', `${path} holds no scenario of \`shoal simulate --seeds\`: ${why}`, { cause });
}

/** The commit of a checkout; `unknown` in an installed package. */
function commitHere(): string {
  try {
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd, encoding: 'utf8', timeout: GIT_MS, stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
