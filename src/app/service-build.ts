import { spawn } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShoalError, whyUnreadable } from '../errors.ts';
import { SHIPPED_PROFILES } from '../hypervisor/mod.ts';
import { profileFileText } from './kept-image.ts';

/** What an image's service runs on. */
export const SYSTEMS = ['builtin', 'includeos'] as const;
export type System = (typeof SYSTEMS)[number];

export interface ServiceBuild {
  readonly system: System;
  /** A folder with C++ files, or one such file; absent: the text service. */
  readonly source?: string | undefined;
  readonly output: string;
  /** Gets each line that the build says. */
  say(line: string): void;
}

export interface BuiltService {
  readonly image: string;
  /** The profile, written beside an image that needs another machine than the built-in one. */
  readonly profile: string | undefined;
}

const SCRIPTS: Readonly<Record<System, string>> = {
  builtin: 'includeos/build.sh',
  includeos: 'includeos/includeos/build.sh',
};

/**
 * Builds an image with a service, by the scripts of a checkout.
 * @throws SERVICE_BUILD with the build's own last line: what is missing, or what the compiler refuses
 */
export async function buildService({ system, source, output, say }: ServiceBuild): Promise<BuiltService> {
  const script = fileURLToPath(new URL(`../../${SCRIPTS[system]}`, import.meta.url));
  if (!(await exists(script))) {
    const why = "the guest's sources are not in the published package; use a checkout of Shoal";
    throw new ShoalError('SERVICE_BUILD', `There is no ${script}: ${why}`, { details: { script } });
  }
  await mkdir(dirname(output), { recursive: true });
  const folder = source === undefined ? undefined : await folderOf(source);
  try {
    await runBuild(script, argumentsOf(system, output, folder?.path), say);
    if (system === 'builtin' && folder === undefined) {
      await copyFile(join(dirname(script), 'build', 'shoal-guest.elf'), output);
    }
  } finally {
    await folder?.remove();
  }
  return { image: output, profile: await writeProfile(system, output) };
}

function argumentsOf(system: System, output: string, folder: string | undefined): readonly string[] {
  const own = folder === undefined ? [] : ['--service', folder];
  if (system === 'includeos') return ['--image', output, ...own];
  return folder === undefined ? ['--variant', 'normal'] : ['--image', output, ...own];
}

/** The scripts take a folder. */
async function folderOf(source: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const found = await stat(source).catch((cause: unknown) => {
    const why = `the source ${source} cannot be read: ${whyUnreadable(cause)}`;
    throw new ShoalError('SERVICE_BUILD', `No image was built: ${why}`, { cause, details: { source } });
  });
  if (found.isDirectory()) return { path: source, remove: () => Promise.resolve() };
  if (extname(source) !== '.cpp') {
    const why = `the source ${source} is neither a folder nor a .cpp file`;
    throw new ShoalError('SERVICE_BUILD', `No image was built: ${why}`, { details: { source } });
  }
  const path = await mkdtemp(join(tmpdir(), 'shoal-service-'));
  await cp(source, join(path, basename(source)));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** What the machine and the way of booting are, `shoal up` then reads beside the image. */
async function writeProfile(system: System, image: string): Promise<string | undefined> {
  const profile = SHIPPED_PROFILES[system];
  if (system === 'builtin' || profile === undefined) return undefined;
  const path = `${image.slice(0, image.length - extname(image).length)}.shoal.json`;
  await writeFile(path, profileFileText(profile));
  return path;
}

async function runBuild(script: string, args: readonly string[], say: (line: string) => void): Promise<void> {
  const child = spawn('sh', [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        last = line;
        say(line);
      }
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  const why = last.replace(/^includeos: /, '');
  throw new ShoalError('SERVICE_BUILD', `No image was built: ${why === '' ? `${script} ended with ${code}` : why}`, {
    details: { script, code },
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
