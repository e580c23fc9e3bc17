import { createHash } from 'node:crypto';
import { messageOf, ShoalError } from '../../errors.ts';
import { isRecord } from '../../is-record.ts';
import { readPlainFile, readPlainFileSync } from '../../plain-file.ts';
import { isProcessIdentity, writeAtomic } from '../../process/mod.ts';
import type { MachineSpec, Manifest } from '../port.ts';
import { parseProfile } from '../profile/parse-profile.ts';

/** With ever more that older Shoals do not know: a profile, or no network; a wrapper around QEMU. */
const VERSIONS: readonly unknown[] = [1, 2, 3];

export function versionOf({ profile, network, qemu }: MachineSpec): Manifest['version'] {
  if (qemu?.confinement === 'namespaces') return 3;
  return profile === undefined && network !== 'none' ? 1 : 2;
}

/** A manifest must outlive every crash that its QEMU outlives, so it need not outlive a crash of the machine. */
export function writeManifest(path: string, manifest: Manifest): void {
  writeAtomic(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** @throws MANIFEST_INVALID; an error with `code` ENOENT if there is none */
export async function readManifest(path: string): Promise<Manifest> {
  return parseManifest(path, (await readPlainFile(path)).toString());
}

/** Undefined if the manifest cannot be read. */
export function manifestIn(path: string): Manifest | undefined {
  try {
    return parseManifest(path, readPlainFileSync(path).toString());
  } catch {
    return undefined;
  }
}

/** @param answer of QEMU's `query-uuid` @throws MANIFEST_INVALID if it is another machine */
export function checkUuid(monitorPath: string, manifest: Manifest, answer: unknown): void {
  const uuid = isRecord(answer) ? answer['UUID'] : undefined;
  if (uuid === manifest.uuid) return;
  throw new ShoalError(
    'MANIFEST_INVALID',
    `The QEMU behind ${monitorPath} has the uuid ${String(uuid)}, not ${manifest.uuid}`,
    { details: { path: monitorPath, expected: manifest.uuid } },
  );
}

export function digestOfArgv(argv: readonly string[]): string {
  return createHash('sha256').update(argv.join('\0')).digest('hex');
}

function parseManifest(path: string, text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(path, 'it is not JSON', cause);
  }
  if (!isRecord(value)) throw invalid(path, 'it is not an object');
  if (!VERSIONS.includes(value['version']))
    throw invalid(path, `it has version ${String(value['version'])}, this Shoal knows ${VERSIONS.join(' and ')}`);
  const missing = whatIsMissing(value);
  if (missing !== undefined) throw invalid(path, `\`${missing}\` is missing or wrong`);
  // Every field that is used has been checked just above, but for the profile.
  const manifest = value as unknown as Manifest;
  if (manifest.version === 1) return withoutProfile(manifest);
  // A machine without a network may be that of the built-in image otherwise.
  if (manifest.spec.network === 'none' && manifest.spec.profile === undefined) return manifest;
  return withProfile(path, manifest);
}

/** Shoals without profiles wrote it: the machine is that of the built-in image. */
function withoutProfile(manifest: Manifest): Manifest {
  const { profile: _, companion: __, network: ___, ...spec } = manifest.spec;
  return { ...manifest, spec };
}

function withProfile(path: string, manifest: Manifest): Manifest {
  const { spec } = manifest;
  try {
    return { ...manifest, spec: { ...spec, profile: parseProfile(spec.profile, `in ${path}`) } };
  } catch (error) {
    throw invalid(path, messageOf(error), error);
  }
}

function whatIsMissing(value: Readonly<Record<string, unknown>>): string | undefined {
  const { spec, uuid, argvDigest, bootId, preparedMs, process, guest } = value;
  if (typeof uuid !== 'string') return 'uuid';
  if (typeof argvDigest !== 'string') return 'argvDigest';
  if (typeof bootId !== 'string') return 'bootId';
  if (!Number.isSafeInteger(preparedMs)) return 'preparedMs';
  if (process !== undefined && !isProcessIdentity(process)) return 'process';
  if (guest !== undefined && !isGuest(guest)) return 'guest';
  return isSpec(spec) ? undefined : 'spec';
}

function isSpec(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { vm, address, image, imageDigest, accelerator, memoryMib, statusIntervalMs, textBytesMax } = value;
  const numbers = [vm, memoryMib, statusIntervalMs, textBytesMax].every(Number.isSafeInteger);
  const { companion, network, qemu, virtioConsole } = value;
  if (virtioConsole !== undefined && virtioConsole !== true) return false;
  if (qemu !== undefined && !isBuild(qemu)) return false;
  if (network !== undefined && network !== 'none' && network !== 'user') return false;
  if (companion !== undefined && !isCompanion(companion)) return false;
  const texts = typeof image === 'string' && typeof imageDigest === 'string';
  return numbers && texts && (accelerator === 'kvm' || accelerator === 'tcg') && isAddress(address);
}

function isBuild(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { program, confinement, why } = value;
  return (
    typeof program === 'string' &&
    (confinement === 'sandbox' || confinement === 'namespaces') &&
    typeof why === 'string'
  );
}

function isCompanion(value: unknown): boolean {
  return isRecord(value) && typeof value['path'] === 'string' && typeof value['digest'] === 'string';
}

function isAddress(value: unknown): boolean {
  return (
    isRecord(value) &&
    Number.isSafeInteger(value['id']) &&
    Number.isSafeInteger(value['port']) &&
    typeof value['ip'] === 'string'
  );
}

function isGuest(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { textBytesMax, idempotent, operations } = value;
  const named = Array.isArray(operations) && operations.every((operation) => typeof operation === 'string');
  return Number.isSafeInteger(textBytesMax) && typeof idempotent === 'boolean' && named;
}

function invalid(path: string, why: string, cause?: unknown): ShoalError {
  return new ShoalError('MANIFEST_INVALID', `The manifest ${path} cannot be used: ${why}`, {
    cause,
    details: { path, why },
  });
}
