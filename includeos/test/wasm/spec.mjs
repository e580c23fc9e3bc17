// Runs the WebAssembly specification's own test files on the guest's runtime, as a program of this machine:
//   node includeos/test/wasm/spec.mjs FOLDER [NAME.wast ...]
// FOLDER is a checkout of the specification's testsuite of about 2022, which wabt 1.0.32 reads. Left out are SIMD, which wasm2c does not
// translate, and modules that import from other modules, which a guest does not load. The flags are those of build.sh, but for the position
// of code.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const guest = fileURLToPath(new URL('../..', import.meta.url));
const [folder, ...chosen] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: spec.mjs FOLDER [NAME.wast ...]\n');
  process.exit(2);
}

// imports.wast and linking.wast are about modules that import from each other.
const leftOut = /^(simd_.*|linking|imports)\.wast$/;
const names = (chosen.length > 0 ? chosen : readdirSync(folder)).filter(
  (name) => name.endsWith('.wast') && !leftOut.test(name),
);
const work = mkdtempSync(join(tmpdir(), 'shoal-wasm-spec-'));

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 120_000, ...options });
  if (result.error) throw result.error;
  return result;
}

function must(command, args, options) {
  const result = run(command, args, options);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${result.stderr.slice(0, 2000)}`);
  return result.stdout;
}

/** A flags variable of build.sh. */
function flags(name) {
  const script = readFileSync(join(guest, 'build.sh'), 'utf8');
  const value = (key) => new RegExp(`^${key}="([^"]*)"`, 'm').exec(script)[1];
  return value(name)
    .replaceAll(/\$(\w+)/g, (_, key) => value(key))
    .split(/\s+/)
    .filter((flag) => !/^-fno-pi[ce]$/.test(flag));
}

function mangle(name) {
  return [...Buffer.from(name)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Y_a-z0-9]/.test(character) ? character : `Z${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

const letters = { i32: 'i', i64: 'j', f32: 'f', f64: 'd', funcref: 'r', externref: 'e' };
const traps = {
  'out of bounds memory access': 'out of bounds',
  'out of bounds table access': 'out of bounds',
  'out of bounds': 'out of bounds',
  'integer overflow': 'integer overflow',
  'integer divide by zero': 'integer divide by zero',
  'invalid conversion to integer': 'invalid conversion to integer',
  unreachable: 'unreachable',
  'call stack exhausted': 'call stack exhausted',
};
const trapName = (text) =>
  traps[text] ?? (/undefined|uninitialized|indirect call/.test(text) ? 'invalid indirect call' : text);

function argument({ type, value }) {
  if (type === 'i32') return `${value}u`;
  if (type === 'i64') return `${value}ull`;
  if (type === 'f32') return `as_f32(${value}u)`;
  if (type === 'f64') return `as_f64(${value}ull)`;
  if (type === 'externref') return value === 'null' ? '0' : `(void*)${Number(value) + 1}ul`;
  return 'wasm_rt_funcref_null_value';
}

function comparison({ type, value }, of) {
  if (value === 'nan:canonical') return type === 'f32' ? `is_canonical32(${of})` : `is_canonical64(${of})`;
  if (value === 'nan:arithmetic') return type === 'f32' ? `is_arithmetic32(${of})` : `is_arithmetic64(${of})`;
  if (type === 'i32') return `${of} == ${value}u`;
  if (type === 'i64') return `${of} == ${value}ull`;
  if (type === 'f32') return `bits32(${of}) == ${value}u`;
  if (type === 'f64') return `bits64(${of}) == ${value}ull`;
  if (type === 'externref') return `${of} == ${argument({ type, value })}`;
  return value === 'null' ? `!${of}.func` : `${of}.func != 0`;
}

/** What the guest has for the test files' own module: functions that print. */
const spectest = {
  print: 'void',
  print_i32: 'u32',
  print_i64: 'u64',
  print_f32: 'f32',
  print_f64: 'f64',
  print_i32_f32: 'u32, f32',
  print_f64_f64: 'f64, f64',
};

const driverHead = `#include <stdio.h>
#include <stdlib.h>
#include "runtime.h"
#define memcpy __builtin_memcpy
static f32 as_f32(u32 x) { f32 y; memcpy(&y, &x, 4); return y; }
static f64 as_f64(u64 x) { f64 y; memcpy(&y, &x, 8); return y; }
static u32 bits32(f32 x) { u32 y; memcpy(&y, &x, 4); return y; }
static u64 bits64(f64 x) { u64 y; memcpy(&y, &x, 8); return y; }
static int is_canonical32(f32 x) { return (bits32(x) & 0x7fffffff) == 0x7fc00000; }
static int is_canonical64(f64 x) { return (bits64(x) & 0x7fffffffffffffff) == 0x7ff8000000000000; }
static int is_arithmetic32(f32 x) { return (bits32(x) & 0x7fc00000) == 0x7fc00000; }
static int is_arithmetic64(f64 x) { return (bits64(x) & 0x7ff8000000000000) == 0x7ff8000000000000; }
static int good, bad;
static const char* wanted_end;
static void check(void (*body)(void*), int line, const char* end) {
  int ok = 1;
  const char* got = shoal_wasm_name(shoal_wasm_try(body, &ok));
  if (ok && __builtin_strcmp(got, end) == 0) { good++; return; }
  bad++;
  printf("line %d: %s, not %s%s\\n", line, got, end, ok ? "" : "; another result");
}
`;

/** One module with the commands that are about it; null: nothing to be done with it. */
function driver(module, commands, header) {
  const imports = [...header.matchAll(/^ *\/\* import: '(.*)' '(.*)' \*\/$/gm)];
  if (imports.some(([, from, name]) => from !== 'spectest' || !(name in spectest))) return null;
  const links = /_instantiate\(([^)]*)\)/.exec(header)[1].split(',').length - 1;
  let text = `#include "${module}.h"\n${driverHead}static Z_svc_instance_t instance;\n`;
  for (const [, , name] of new Map(imports.map((found) => [found[2], found])).values()) {
    const types = spectest[name] === 'void' ? '' : `, ${spectest[name]}`;
    text += `void Z_spectestZ_${mangle(name)}(struct Z_spectest_instance_t* link${types.replaceAll(/[uf]\d+/g, (type, at) => `${type} p${at}`)}) {}\n`;
  }
  const calls = ['check(start, 0, start_end);'];
  let startEnd = 'returned';
  for (const command of commands) {
    if (command.type === 'start_trap') {
      startEnd = trapName(command.text);
      continue;
    }
    const { action } = command;
    const symbol = `Z_svcZ_${mangle(action.field)}`;
    const expected = command.expected ?? [];
    const lines = [];
    if (action.type === 'get') {
      lines.push(`*(int*)ok = ${comparison(expected[0], `(*${symbol}(&instance))`)};`);
    } else {
      const call = `${symbol}(${['&instance', ...action.args.map(argument)].join(', ')})`;
      if (command.type !== 'assert_return' || expected.length === 0) lines.push(`${call};`);
      else if (expected.length === 1)
        lines.push(`__typeof__(${call}) r = ${call};`, `*(int*)ok = ${comparison(expected[0], 'r')};`);
      else {
        const fields = expected.map((value, at) => comparison(value, `r.${letters[value.type]}${at}`));
        lines.push(`__typeof__(${call}) r = ${call};`, `*(int*)ok = ${fields.join(' && ')};`);
      }
    }
    const name = `command${calls.length}`;
    text += `static void ${name}(void* ok) { ${lines.join(' ')} }\n`;
    const end = command.type === 'assert_return' || command.type === 'action' ? 'returned' : trapName(command.text);
    calls.push(`check(${name}, ${command.line}, "${end}");`);
  }
  return `${text}
static void start(void* ok) { Z_svc_init_module(); Z_svc_instantiate(&instance${', NULL'.repeat(links)}); }
static const char* start_end = "${startEnd}";
int main(void) {
  size_t bytes = 512 << 20;
  shoal_wasm_open(calloc(1, bytes), bytes, &instance, sizeof instance);
  ${calls.join('\n  ')}
  printf("%d %d\\n", good, bad);
  return 0;
}
`;
}

const wasmFlags = flags('wasm_flags').map((flag) => flag.replace(/^wasm\//, `${guest}wasm/`));
const objects = ['wasm/runtime.cpp'].map((source) => {
  const object = join(work, `${basename(source)}.o`);
  must('g++', [
    '-std=c++20',
    '-O2',
    '-fno-exceptions',
    ...['include', 'wasm', 'builtin'].map((name) => `-I${guest}${name}`),
    '-c',
    join(guest, source),
    '-o',
    object,
  ]);
  return object;
});
writeFileSync(
  join(work, 'host.cpp'),
  `#include <cstdio>
#include <cstdlib>
#include <cstdint>
#include <string_view>
#include <sys/resource.h>
bool shoal_yield() { return true; }
namespace shoal::builtin { [[noreturn]] void panic(std::string_view why) { std::fprintf(stderr, "%.*s\\n", int(why.size()), why.data()); std::abort(); } }
extern "C" { char user_stack_bottom[1]; extern uintptr_t shoal_wasm_stack_limit;
void __real_shoal_wasm_open(void*, size_t, void*, size_t);
void __wrap_shoal_wasm_open(void* region, size_t bytes, void* instance, size_t size) {
  __real_shoal_wasm_open(region, bytes, instance, size);
  shoal_wasm_stack_limit = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - (1 << 20);
} }
`,
);
const host = join(work, 'host.o');
must('g++', ['-std=c++20', '-O1', '-c', join(work, 'host.cpp'), '-o', host]);

function runModule(base, module, commands) {
  const c = must('wasm2c', ['--no-debug-names', '-n', 'svc', join(base, module), '-o', join(base, 'module.c')], {
    cwd: base,
  });
  void c;
  const source = driver('module', commands, readFileSync(join(base, 'module.h'), 'utf8'));
  if (source === null) return null;
  writeFileSync(join(base, 'steps.c'), must('awk', ['-f', join(guest, 'wasm/prepare.awk'), join(base, 'module.c')]));
  writeFileSync(join(base, 'main.c'), source);
  must('gcc', [...wasmFlags, '-w', '-c', join(base, 'steps.c'), '-I', base, '-o', join(base, 'steps.o')]);
  must('gcc', [
    '-w',
    '-O0',
    '-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0',
    '-DWASM_RT_USE_STACK_DEPTH_COUNT=0',
    `-I${guest}wasm`,
    '-I',
    base,
    '-c',
    join(base, 'main.c'),
    '-o',
    join(base, 'main.o'),
  ]);
  must('g++', [
    join(base, 'main.o'),
    join(base, 'steps.o'),
    ...objects,
    host,
    '-Wl,--wrap=shoal_wasm_open',
    '-o',
    join(base, 'main'),
  ]);
  const result = run(join(base, 'main'), []);
  const last = /(\d+) (\d+)\n$/.exec(result.stdout);
  if (last === null) return { good: 0, bad: 1, text: `ended with ${result.status} ${result.signal} ${result.stdout}` };
  return { good: Number(last[1]), bad: Number(last[2]), text: result.stdout };
}

/** The modules of a file, each with the commands on it. What is about a module by name, or about one that is left out, is left out. */
function parts(commands) {
  const found = [];
  let current;
  for (const command of commands) {
    if (command.type === 'module') {
      current = { filename: command.filename, name: command.name, commands: [] };
      found.push(current);
    } else if (command.type === 'assert_uninstantiable') {
      found.push({ filename: command.filename, commands: [{ ...command, type: 'start_trap' }] });
    } else if (
      ['assert_return', 'assert_trap', 'assert_exhaustion', 'action'].includes(command.type) &&
      current !== undefined
    ) {
      if (command.action.module === undefined || command.action.module === current.name) current.commands.push(command);
    }
  }
  return found.filter((part) => part.commands.length > 0);
}

const total = { good: 0, bad: 0, modules: 0, leftOut: 0 };
try {
  for (const name of names.sort()) {
    const base = join(work, basename(name, '.wast'));
    mkdirSync(base);
    const json = join(base, 'all.json');
    const converted = run('wast2json', [join(folder, name), '-o', json]);
    if (converted.status !== 0) {
      process.stdout.write(`${name}: wast2json does not read it: ${converted.stderr.split('\n')[0]}\n`);
      continue;
    }
    const sum = { good: 0, bad: 0, modules: 0, leftOut: 0 };
    for (const part of parts(JSON.parse(readFileSync(json, 'utf8')).commands)) {
      let result;
      try {
        result = runModule(base, part.filename, part.commands);
      } catch (error) {
        result = { good: 0, bad: part.commands.length, text: error.message };
      }
      if (result === null) sum.leftOut++;
      else {
        sum.modules++;
        sum.good += result.good;
        sum.bad += result.bad;
        if (result.bad > 0) process.stdout.write(`${name} ${part.filename}: ${result.text}\n`);
      }
    }
    process.stdout.write(
      `${name}: ${sum.modules} modules, ${sum.good} assertions hold, ${sum.bad} do not; ${sum.leftOut} modules left out\n`,
    );
    for (const key of Object.keys(total)) total[key] += sum[key];
    rmSync(base, { recursive: true });
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.stdout.write(
  `${total.modules} modules, ${total.good} assertions hold, ${total.bad} do not; ${total.leftOut} modules left out\n`,
);
process.exitCode = total.bad > 0 ? 1 : 0;
