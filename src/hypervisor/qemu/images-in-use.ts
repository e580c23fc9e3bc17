import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../errors.ts';
import { saysGone } from '../../process/mod.ts';
import { readManifest } from './manifest.ts';
import { runPaths, runtimeRoot } from './run-directory.ts';

/**
 * The digests of the images of a fleet's VMs on this host, as the manifests in their run directories say: QEMU is not asked, since its
 * monitor serves one client, and that is whoever runs the VM. Undefined while one of them cannot be read.
 */
export async function imagesInUse(
  fleetTag: string,
  root: string = runtimeRoot(),
): Promise<readonly string[] | undefined> {
  const directory = join(root, fleetTag);
  try {
    const names = await readdir(directory);
    const digests = await Promise.all(names.map((name) => imageOf(directory, Number(name))));
    return digests.flatMap((digest) => digest ?? []);
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? [] : undefined;
  }
}

/** Undefined if there is no manifest: the VM is only being made, or is gone. */
async function imageOf(directory: string, vm: number): Promise<string | undefined> {
  try {
    return (await readManifest(runPaths(directory, vm).manifest)).spec.imageDigest;
  } catch (error) {
    if (saysGone(error)) return undefined;
    throw error;
  }
}
