/** A fleet of an image that has a profile. */
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { defaultImage } from '../src/app/mod.ts';
import { processesWith, whileThere } from '../src/process/mod.ts';
import { eventually, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { ShoalProcess, shoal } from './driver/shoal-process.ts';

interface Inspected {
  readonly image: string;
  readonly image_digest: string;
  readonly memory_mib: number;
  readonly boot_file: string | null;
  readonly boot_digest: string | null;
  readonly profile: { readonly memoryMib: number; readonly commandLine: string };
  readonly pid: number;
}

interface Shown {
  readonly digest: string;
  readonly boot_digest: string;
}

interface Checked {
  readonly ok: boolean;
  readonly points: readonly { readonly state: string }[];
}

/** The built-in image, with a profile of its own and a module that it does not look at. */
function ownImage(profile: object): string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const image = join(folder, 'own.elf');
  copyFileSync(defaultImage(), image);
  writeFileSync(join(folder, 'module'), 'a module');
  writeFileSync(join(folder, 'own.shoal.json'), JSON.stringify(profile));
  return image;
}

const WORDS =
  'shoal.id={id} shoal.bind={bind} shoal.gw={gw} shoal.port={port} shoal.addr={addr} shoal.status_ms={statusMs} shoal.max={max}';

test('a fleet runs on the machine that the profile names, which stays with its VMs when Shoal comes back', async () => {
  const image = ownImage({ memoryMib: 24, initrd: 'module', commandLine: `own.word=1 ${WORDS}`, idempotent: false });
  const fleet = await TestFleet.start({ flags: ['--image', image] });
  const [vm] = fleet.ready.vms;
  const id = String(vm?.id_vmachine);
  // Its fields are held by the test of docs/commands.md.
  const seen = (await fleet.json('inspect', [id])) as Inspected;
  const shown: Shown = JSON.parse((await shoal(['image', image, '-o', 'json'])).stdout);
  const { digest, boot_digest } = shown;
  expect(seen).toMatchObject({ memory_mib: 24, image_digest: digest, boot_digest, profile: { idempotent: false } });
  const args = readFileSync(`/proc/${seen.pid}/cmdline`, 'latin1').split('\0');
  expect(args[args.indexOf('-m') + 1]).toBe('24');
  expect(args[args.indexOf('-append') + 1]).toMatch(/^own\.word=1 shoal\.id=/);
  expect(args[args.indexOf('-initrd') + 1]).toBe(seen.boot_file);
  const kept = [`${digest}.boot`, `${digest}.elf`, `${digest}.shoal.json`];
  expect(readdirSync(join(fleet.data, 'images')).sort()).toEqual(kept);
  // The copy is an image like any other.
  expect(await shoal(['image', seen.image])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(digest) });
  expect(await fleet.json('hosts')).toMatchObject([{ memory_mib: 24 }]);

  await fleet.run('down', ['--keep-vms']);
  await fleet.up.finished;
  const next = await fleet.resume();
  expect(await next.json('inspect', [id])).toMatchObject({ pid: seen.pid, memory_mib: 24, image_digest: digest });
  expect((await next.run('send', ['still here'])).stdout).toBe('STILL HERE\n');
  expect(await next.stop()).toMatchObject({ exitCode: 0 });
});

test('a kept file that was changed starts no VM, and the error names it', async () => {
  const image = ownImage({ memoryMib: 24, initrd: 'module' });
  await using fleet = await TestFleet.start({ flags: ['--image', image] });
  const images = join(fleet.data, 'images');
  const boot = readdirSync(images).find((name) => name.endsWith('.boot')) ?? '';
  writeFileSync(join(images, boot), 'another module');
  await fleet.run('scale', ['2']);
  await fleet.until('no VM can be started', (seen) => seen.blocked !== null);
  const events = JSON.stringify(await fleet.events());
  expect(events).toContain(`${boot} has changed: its digest is`);
});

test.each([
  [{ memoryMib: '24' }, [], /own\.shoal\.json cannot be used: Expected `memoryMib` to be .* got `"24"` \(string\)/],
  [{ memory: 24 }, [], /`memory` .*There is no such field/],
  [{ initrd: 'none' }, [], /initial ramdisk .*none cannot be read: there is no such file/],
  [{ machine: 'pc' }, [], /boot "pvh", and its profile says "multiboot"/],
  [{}, ['--profile', 'nothing'], /nothing cannot be read: there is no such file.*one of built-in, includeos, linux/],
  [{}, ['--profile-set', 'memoryMib=0'], /`memoryMib`.*got `0`/],
  [{ accelerators: ['tcg'] }, ['--accel', 'kvm'], /allows tcg, not kvm/],
  [
    { bootTimeoutMs: 20_000 },
    ['--set', 'ip_reserve_ms=16000'],
    /`bootTimeoutMs` \(20000\) is not below ip_reserve_ms \(16000\)/,
  ],
])(
  'a start with the profile %j and %j is refused, with what is wrong, and leaves nothing',
  async (profile, flags, why) => {
    const image = ownImage(profile);
    const data = temporaryFolder();
    onTestFinished(() => rmSync(data, { recursive: true, force: true }));
    const { exitCode, stderr } = await shoal(['up', '--plain', '--data', data, '--image', image, ...flags]);
    // 2 if the command line, or a parameter, is what does not fit.
    expect(exitCode).toBe(/allows|ip_reserve_ms/.test(stderr) ? 2 : 1);
    expect(stderr).toMatch(why);
  },
);

test('a check says in its exit code and for programs what it finds', async () => {
  const image = ownImage({ powerOff: { by: 'isa-debug-exit', code: 69 } });
  const { exitCode, stdout } = await shoal(['image', 'check', image, '-o', 'json']);
  const { ok, points }: Checked = JSON.parse(stdout);
  expect({ exitCode, ok }).toEqual({ exitCode: 1, ok: false });
  expect(points.filter(({ state }) => state === 'failed')).toEqual([
    { name: 'exit', state: 'failed', why: expect.stringMatching(/exit code 67.* tells a stop by isa-debug-exit/) },
  ]);
  expect(await shoal(['image', 'check', '/etc/passwd'])).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/^FAILED +file .*not an ELF file/),
  });
  expect(await shoal(['doctor', '--image', image])).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/FAIL {2}guest image .*does not keep the guest contract: exit: /),
  });
});

const runsQemu = (pid: number): boolean =>
  /^qemu/.test(whileThere(() => readFileSync(`/proc/${pid}/comm`, 'utf8')) ?? '');

test.each([
  ['table', []],
  ['json', ['-o', 'json']],
])('a check that is interrupted has no verdict, as %s, and leaves no VM', async (format, flags) => {
  const console = { format: 'regex', ready: '^never$', status: '^never (?<cpu>\\d+)$' };
  const image = ownImage({ console, powerOff: { by: 'exit' }, bootTimeoutMs: 60_000 });
  const check = new ShoalProcess(['image', 'check', image, ...flags]);
  // The command's own shells have the image among their arguments too.
  const vms = () => [...processesWith((argument) => argument === image)].filter(({ process }) => runsQemu(process.pid));
  await eventually('its VM runs', () => (vms().length > 0 ? true : undefined));
  check.signal('SIGINT');
  const { exitCode, stdout } = await check.finished;
  expect(exitCode).toBe(1);
  expect(stdout).not.toContain('FAILED');
  if (format === 'json') expect(stdout).toBe('');
  await eventually('the VM is gone', () => (vms().length === 0 ? true : undefined));
});
