// The C that has modules do a test file's commands: a function for each command, for host.cpp to call.

/** The fields of several results, as wasm2c names them. */
const letters = { i32: 'i', i64: 'j', f32: 'f', f64: 'd', funcref: 'r', externref: 'e' };

/** What the specification's files call a trap, and what the runtime does. */
const traps = [
  [/^out of bounds/, 'out of bounds'],
  [/^(undefined|uninitialized|callIndirect)|indirect call/, 'invalid indirect call'],
];
const endOf = (text) => traps.find(([pattern]) => pattern.test(text))?.[1] ?? text;

/** As wasm2c makes symbols of names. */
const mangled = (name) =>
  [...Buffer.from(name)]
    .map((byte) => String.fromCharCode(byte))
    .map((character) =>
      /[A-Y_a-z0-9]/.test(character)
        ? character
        : `Z${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');

const importsIn = /^ *\/\* import: '(.*)' '(.*)' \*\/\n.*\n/gm;
const importable = /^(print(_i32|_i64|_f32|_f64|_i32_f32|_f64_f64)?|global_(i32|i64|f32|f64)|memory|table)$/;

/** Whether a module, told by its header, imports nothing but what host.cpp has. */
export function canBeStarted(header) {
  return [...header.matchAll(importsIn)].every(([, module, name]) => module === 'spectest' && importable.test(name));
}

function literal({ type, value }) {
  if (type === 'i32') return `${value}u`;
  if (type === 'i64') return `${value}ull`;
  if (type === 'f32') return `as_f32(${value}u)`;
  if (type === 'f64') return `as_f64(${value}ull)`;
  if (type === 'externref') return value === 'null' ? '0' : `(void*)${Number(value) + 1}ul`;
  if (type === 'funcref' && value === 'null') return 'wasm_rt_funcref_null_value';
  throw new Error(`unknown value ${type} ${value}`);
}

function comparison({ type, value }, result) {
  if (/^nan:/.test(value)) return `is_${value.slice(4)}_${type}(${result})`;
  if (type === 'f32' || type === 'f64') return `bits_${type}(${result}) == ${value}${type === 'f32' ? 'u' : 'ull'}`;
  if (type === 'funcref') return `${value === 'null' ? '!' : '!!'}${result}.func`;
  return `${result} == ${literal({ type, value })}`;
}

function statements(id, { type, action, expected }) {
  const symbol = `Z_${id}Z_${mangled(action.field)}`;
  const call =
    action.type === 'get' ? `*${symbol}(&${id})` : `${symbol}(${[`&${id}`, ...action.args.map(literal)].join(', ')})`;
  if (type !== 'assert_return' || expected.length === 0) return `${call};`;
  const results = expected.map((value, at) =>
    comparison(value, expected.length === 1 ? 'r' : `r.${letters[value.type]}${at}`),
  );
  return `__typeof__(${call}) r = ${call}; *(int*)ok = ${results.join(' && ')};`;
}

const endsWith = ({ type, text }) => (type === 'assert_return' || type === 'action' ? 'returned' : endOf(text));

function moduleText({ id, header, line, startEnd, commands }) {
  // `z_instantiate(instance, import...)`: what is imported of one module has one parameter.
  const links = /_instantiate\(([^)]*)\)/.exec(header)[1].split(',').length - 1;
  const functions = commands.map((command, at) => `static void ${id}_${at}(void* ok) { ${statements(id, command)} }`);
  const rows = commands.map((command, at) => `  {${id}_${at}, ${command.line}, "${endsWith(command)}"},`);
  return [
    // Old files import a name with several types, and nothing here calls what is imported.
    header.replaceAll(importsIn, ''),
    `static Z_${id}_instance_t ${id};`,
    `static void ${id}_start(void* ok) { Z_${id}_init_module(); Z_${id}_instantiate(&${id}${', 0'.repeat(links)}); }`,
    ...functions,
    `static const struct command ${id}_commands[] = {`,
    ...rows,
    '};',
    `static void run_${id}(void) {`,
    `  const struct command start = {${id}_start, ${line}, "${endOf(startEnd)}"};`,
    `  run_module("${id}", &${id}, sizeof ${id}, start, ${id}_commands, ${commands.length});`,
    '}',
  ].join('\n');
}

/** A program of the modules of one file. */
export function driver(modules) {
  return [
    '#include "host.h"',
    ...modules.map(moduleText),
    'int main(void) {',
    ...modules.map(({ id }) => `  run_${id}();`),
    '  return report();',
    '}',
    '',
  ].join('\n');
}
