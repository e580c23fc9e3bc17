import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cgroups, capsOf } from './cgroup.ts';

// Plain folders stand for the kernel's: what is written where is the whole of the interface.
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shoal-cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('a VM gets a group with the caps of its memory and of its CPU, and its process is put there', () => {
  writeFileSync(join(root, 'cgroup.subtree_control'), 'cpuset cpu io memory pids\n');
  const groups = new Cgroups('tag', root);
  expect(groups.why).toBeUndefined();
  expect(groups.place(7, 1234, capsOf(16))).toBe(true);
  expect(read('shoal-tag/cgroup.subtree_control')).toBe('+cpu +memory');
  expect(read('shoal-tag/vm-7/memory.max')).toBe(`${(16 + 96) * 1024 * 1024}\n`);
  expect(read('shoal-tag/vm-7/cpu.max')).toBe('150000 100000\n');
  expect(read('shoal-tag/vm-7/cgroup.procs')).toBe('1234\n');
  expect(existsSync(join(root, 'shoal-tag/vm-7/memory.swap.max'))).toBe(false);
});

test('where the kernel can swap a VM may have none of it', () => {
  writeFileSync(join(root, 'cgroup.subtree_control'), 'cpu memory\n');
  mkdirSync(join(root, 'shoal-tag/vm-7'), { recursive: true });
  writeFileSync(join(root, 'shoal-tag/vm-7/memory.swap.max'), 'max\n');
  expect(new Cgroups('tag', root).place(7, 1234, capsOf(16))).toBe(true);
  expect(read('shoal-tag/vm-7/memory.swap.max')).toBe('0\n');
});

test.each([
  ['is absent', undefined, /ENOENT/],
  ['hands on no memory controller', 'cpu pids\n', /memory/],
  ['hands on nothing', '\n', /cpu and memory/],
])('where cgroup v2 %s VMs run without caps, and it says why', (_, control, why) => {
  if (control !== undefined) writeFileSync(join(root, 'cgroup.subtree_control'), control);
  const groups = new Cgroups('tag', root);
  expect(groups.why).toMatch(why);
  expect(groups.place(7, 1234, capsOf(16))).toBe(false);
  groups.remove(7);
  expect(existsSync(join(root, 'shoal-tag'))).toBe(false);
});

test('a group that cannot be written to leaves the VM without caps', () => {
  writeFileSync(join(root, 'cgroup.subtree_control'), 'cpu memory\n');
  mkdirSync(join(root, 'shoal-tag', 'vm-7', 'memory.max'), { recursive: true });
  expect(new Cgroups('tag', root).place(7, 1234, capsOf(16))).toBe(false);
});

test('a VM that gives way has a sixth of the usual weight, as long as it has a group', () => {
  writeFileSync(join(root, 'cgroup.subtree_control'), 'cpu memory\n');
  const groups = new Cgroups('tag', root);
  expect(groups.weigh(7, true)).toBe(false);
  mkdirSync(join(root, 'shoal-tag/vm-7'), { recursive: true });
  expect(groups.weigh(7, true)).toBe(false);
  writeFileSync(join(root, 'shoal-tag/vm-7/cpu.weight'), '100\n');
  expect(groups.weigh(7, true)).toBe(true);
  expect(Number(read('shoal-tag/vm-7/cpu.weight').split('\n')[0])).toBe(17);
  expect(groups.weigh(7, false)).toBe(true);
  expect(Number(read('shoal-tag/vm-7/cpu.weight').split('\n')[0])).toBe(100);
});

test('the groups go with the VM', () => {
  writeFileSync(join(root, 'cgroup.subtree_control'), 'cpu memory\n');
  const groups = new Cgroups('tag', root);
  mkdirSync(join(root, 'shoal-tag', 'vm-7'), { recursive: true });
  groups.remove(7);
  expect(existsSync(join(root, 'shoal-tag'))).toBe(false);
});
