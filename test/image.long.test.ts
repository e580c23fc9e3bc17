/** The guest image is another file while a fleet runs, or at the next start. */
import { copyFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { defaultImage } from '../src/app/mod.ts';
import { inspectImage } from '../src/hypervisor/mod.ts';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';
import { shoal } from './driver/shoal-process.ts';

test('an image that is built anew under a running fleet changes nothing until the next start, which runs it', async () => {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const image = join(folder, 'guest.elf');
  copyFileSync(defaultImage(), image);
  const { digest: first } = await inspectImage(image);
  const fleet = await TestFleet.start({ flags: ['--image', image] });
  const [vm] = fleet.ready.vms;
  // Bytes behind the end of an ELF file are nobody's.
  writeFileSync(image, '\0', { flag: 'a' });
  const { digest: second } = await inspectImage(image);
  await fleet.json('scale', ['2']);
  const { vms } = await fleet.until('another VM is ready', (seen) => seen.vms.length === 2 && allReady(seen));
  expect(await imagesOf(fleet, vms)).toEqual([first, first]);
  expect(await shoal(['doctor', '--data', fleet.data, '--image', image])).toMatchObject({
    stdout: expect.stringMatching(/warn {2}guest image .*has changed since/),
  });
  const shown = await shoal(['image', '--data', fleet.data, image]);
  expect(shown.stdout).toContain(`${first}: the file has changed`);
  await fleet.run('scale', ['1']);
  await fleet.until('one is left', (seen) => seen.vms.length === 1);

  await fleet.run('down', ['--keep-vms']);
  await fleet.up.finished;
  const next = await fleet.resume();
  // The VM that was adopted goes on with what it was started from; one that is started now has the new image.
  await next.json('scale', ['2']);
  const after = await next.until('a new VM is ready', (seen) => seen.vms.length === 2 && allReady(seen));
  expect(await imagesOf(next, after.vms)).toEqual([first, second]);
  expect(readdirSync(join(next.data, 'images')).sort()).toEqual([`${first}.elf`, `${second}.elf`].sort());
  await next.run('down');
  await next.up.finished;

  const last = await next.resume();
  expect(last.ready.vms.map(({ id_vmachine }) => id_vmachine)).not.toContain(vm?.id_vmachine);
  expect(readdirSync(join(last.data, 'images'))).toEqual([`${second}.elf`]);
  expect(await last.stop()).toMatchObject({ exitCode: 0 });
});

test('an image that is removed under a running fleet is missed by nobody', async () => {
  const folder = temporaryFolder();
  const image = join(folder, 'guest.elf');
  copyFileSync(defaultImage(), image);
  await using fleet = await TestFleet.start({ flags: ['--image', image] });
  rmSync(folder, { recursive: true });
  await fleet.run('restart');
  const [before] = fleet.ready.vms;
  await fleet.until('another VM has taken its place', (seen) =>
    seen.vms.every(({ id_vmachine, state }) => id_vmachine !== before?.id_vmachine && state === 'ready'),
  );
  expect((await fleet.run('send', ['still here'])).stdout).toBe('STILL HERE\n');
});

const allReady = ({ vms }: { readonly vms: readonly { readonly state: string }[] }): boolean =>
  vms.every(({ state }) => state === 'ready');

/** The digests of what the VMs run, oldest VM first. */
async function imagesOf(fleet: TestFleet, vms: readonly { readonly id_vmachine: number }[]): Promise<string[]> {
  const seen = [];
  // Each field of `inspect` is held by the test of docs/commands.md.
  for (const { id_vmachine } of vms)
    seen.push((await fleet.json('inspect', [String(id_vmachine)])) as { image_digest: string });
  return seen.map(({ image_digest }) => image_digest);
}
