import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportsOf } from '../../bundle/mod.ts';
import { messageOf, ShoalError } from '../../errors.ts';
import { profilePath, profileText, SHIPPED_PROFILES } from '../../hypervisor/mod.ts';
import { readPlainFile } from '../../plain-file.ts';
import { buildScript, filesBeside } from './build-script.ts';
import { notBuilt, unreadable } from './not-built.ts';
import { profileOfBytes } from './profile-of-bytes.ts';
import { runScript } from './run-script.ts';
import { type ServiceKind, serviceKind } from './service-kind.ts';

/** What an image's service runs on. */
export const SYSTEMS = ['builtin', 'includeos'] as const;
export type System = (typeof SYSTEMS)[number];

export interface ServiceBuild {
  readonly system: System;
  /** A file in TypeScript, JavaScript or WebAssembly, a folder with C++ files, or one such file; absent: the text service. */
  readonly source?: string | undefined;
  readonly output: string;
  /** Gets each line that the build says. */
  say(line: string): void;
  /** Told of each file and folder that the image is made of, those of Shoal left out, before it is read; also if the build fails. */
  onInput?(path: string): void;
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
 * Builds an image with a service: one in TypeScript or JavaScript by itself, others by the scripts of a checkout and a compiler.
 * @throws SERVICE_INVALID for a script that cannot be a service; SERVICE_BUILD with the build's own last line: what is missing, or what the
 * compiler refuses
 */
export async function buildService(build: ServiceBuild): Promise<BuiltService> {
  const { system, source, output, say, onInput } = build;
  if (source !== undefined) onInput?.(source);
  const kind = source === undefined ? 'cpp' : await serviceKind(source);
  await checkOutputs(kind === 'script' ? [output, ...Object.values(filesBeside(output))] : [output], source);
  if (system === 'builtin' && source !== undefined && kind === 'script') {
    await mkdir(dirname(output), { recursive: true });
    return buildScript(source, output, build);
  }
  if (system === 'includeos' && kind !== 'cpp') {
    const why = `${source} is no C++, and on IncludeOS a service is. Leave --system out`;
    throw notBuilt(why, { details: { source: source ?? null } });
  }
  const script = fileURLToPath(new URL(`../../../${SCRIPTS[system]}`, import.meta.url));
  if (!(await exists(script))) {
    const why = "the guest's sources are not in the published package; use a checkout of Shoal";
    throw new ShoalError('SERVICE_BUILD', `There is no ${script}: ${why}`, { details: { script } });
  }
  const takesBytes = kind === 'wasm' && source !== undefined && (await exportsPayloadBytes(source));
  await mkdir(dirname(output), { recursive: true });
  const prepared = source === undefined ? undefined : await preparedSource(source, kind);
  try {
    await runScript('sh', [script, ...argumentsOf(system, output, prepared?.path)], say, prepared?.shown);
    if (system === 'builtin' && prepared === undefined) {
      await copyFile(join(dirname(script), 'build', 'shoal-guest.elf'), output);
    }
  } finally {
    await prepared?.remove();
  }
  const profile = takesBytes ? await profileOfBytes(output, say) : await writeProfile(system, output);
  return { image: output, profile };
}

/** A build must not write over the service, over another file that it writes, or over what is no file. */
async function checkOutputs(outputs: readonly string[], source: string | undefined): Promise<void> {
  const refuse = (output: string, why: string): never => {
    throw notBuilt(`${output} ${why}. Name another output`, {
      details: { output },
    });
  };
  for (const [index, output] of outputs.entries()) {
    if (outputs.indexOf(output) !== index) refuse(output, 'would be two files of the image');
    const found = await stat(output).catch(() => undefined);
    if (found?.isDirectory() === true) refuse(output, 'is a folder');
    // The new file would take the place of a device, such as /dev/null, for everybody.
    if (found?.isFile() === false) refuse(output, 'is no plain file');
    if (found === undefined || source === undefined) continue;
    const { dev, ino } = await stat(source);
    if (found.dev === dev && found.ino === ino) refuse(output, 'is the service itself');
  }
}

function argumentsOf(system: System, output: string, source: string | undefined): readonly string[] {
  const own = source === undefined ? [] : ['--service', source];
  if (system === 'includeos') return ['--image', output, ...own];
  return source === undefined ? ['--variant', 'normal'] : ['--image', output, ...own];
}

/** A source as the scripts take it: a folder of C++, or a module of WebAssembly. */
interface Prepared {
  readonly path: string;
  /** A line of a build with the author's paths. */
  shown(line: string): string;
  remove(): Promise<void>;
}

async function preparedSource(source: string, kind: ServiceKind): Promise<Prepared> {
  const isFolder = (await stat(source)).isDirectory();
  const folder = isFolder ? source : dirname(source);
  const shown = (line: string): string => (kind === 'cpp' ? line.replaceAll(COPIES, `${folder}/`) : line);
  if (kind !== 'cpp' || isFolder) return { path: source, shown, remove: () => Promise.resolve() };
  const content = await readPlainFile(source).catch((cause: unknown) => {
    throw unreadable(source, cause);
  });
  const path = await mkdtemp(join(tmpdir(), 'shoal-service-'));
  await writeFile(join(path, basename(source)), content);
  return {
    path,
    shown: (line) => shown(line.replaceAll(path, source)),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** Where `build.sh` puts the files of a service before they are compiled. */
const COPIES = 'build/own/';

/** @throws SERVICE_BUILD if it is no module */
async function exportsPayloadBytes(source: string): Promise<boolean> {
  const bytes = await readPlainFile(source);
  try {
    return exportsOf(bytes).includes('shoal_payload_bytes');
  } catch (cause) {
    const why = `${source} is no module of WebAssembly: ${messageOf(cause).replace(/^WebAssembly\.Module\(\): /, '')}`;
    throw notBuilt(why, { cause, details: { source } });
  }
}

/** `shoal up` reads it beside the image. */
async function writeProfile(system: System, image: string): Promise<string | undefined> {
  const profile = SHIPPED_PROFILES[system];
  if (system === 'builtin' || profile === undefined) return undefined;
  const path = profilePath(image);
  await writeFile(path, profileText(profile));
  return path;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
