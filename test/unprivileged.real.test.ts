/** Shoal needs no root: without it there is no user id a VM, and QEMU may not so much as try to gain rights. */
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { willEnd } from './driver/end-left.ts';
import { randomPool, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { qemusOf } from './driver/processes.ts';
import { type ShoalOptions, ShoalProcess, shoal } from './driver/shoal-process.ts';

const isRoot = process.getuid?.() === 0;
/** `nobody`, unless we are nobody in particular already. */
const USER = isRoot ? 65_534 : (process.getuid?.() ?? 0);

/** The project is mounted below the test's own folder: a checkout of root's may be where nobody else can go. */
function asNobody(project: string): Pick<ShoalOptions, 'command' | 'before'> {
  mkdirSync(project, { recursive: true });
  const drop = `setpriv --reuid=${USER} --regid=${USER} --clear-groups`;
  const script = `mount --bind "$1" "$2" && cd "$2" && shift 2 && exec ${drop} bin/shoal "$@"`;
  const checkout = fileURLToPath(new URL('..', import.meta.url));
  return { command: 'unshare', before: ['--mount', 'sh', '-c', script, 'sh', checkout, project] };
}

function statusOf(pid: number, field: string): string | undefined {
  return new RegExp(`^${field}:\\s*(.+)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
}

test('without root a fleet comes up, answers and ends; its VMs have no rights and cannot gain any', async () => {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [data, runtime] = [join(folder, 'data'), join(folder, 'run')];
  for (const path of [data, runtime]) mkdirSync(path);
  for (const path of [folder, data, runtime]) {
    chmodSync(path, 0o700);
    chownSync(path, USER, USER);
  }
  const pool = randomPool(2);
  willEnd({ data, pool });
  const options: ShoalOptions = {
    ...(isRoot ? asNobody(join(folder, 'project')) : {}),
    env: { HOME: folder, SHOAL_RUNTIME_DIR: runtime },
  };
  const up = new ShoalProcess(['up', '-o', 'json', '--data', data, '--pool', pool], options);
  await up.firstLine();
  const sent = await shoal(['send', '--data', data, 'from nobody'], options);
  expect(sent).toMatchObject({ stdout: 'FROM NOBODY\n', exitCode: 0 });
  const [qemu] = qemusOf({ data, pool });
  if (qemu === undefined) throw new Error('a VM runs');
  expect(qemu.commandLine).toContain('elevateprivileges=deny');
  const { pid } = qemu.identity;
  expect(statusOf(pid, 'Uid')).toBe([USER, USER, USER, USER].join('\t'));
  expect([statusOf(pid, 'CapEff'), statusOf(pid, 'NoNewPrivs'), statusOf(pid, 'Seccomp')]).toEqual([
    '0000000000000000',
    '1',
    '2',
  ]);
  up.signal('SIGINT');
  expect(await up.finished).toMatchObject({ exitCode: 0 });
  expect(leftovers({ data, pool }).processes).toEqual([]);
});
