// What of the specification's test files is not run, each with its reason. A file that is neither named here nor run fails the test.

const filesByReason = {
  'is about modules that import from each other': 'linking',
  'has memories of 64 bits': `address64 align64 bulk-memory64 endianness64 float_memory64 load64 memory64 memory_grow64
    memory_redundancy64 memory_trap64 old_address64 resizing64`,
  'is about SIMD': 'simd',
  'is about threads': 'atomics',
  'is about exceptions': 'exception-handling tags',
  'is about garbage collection': 'array i31 ref_cast ref_eq struct',
  'is about typed function references': 'br_on_null call_ref elem_reftypes ref_as_non_null',
  'is about tuples, which are no part of the specification': 'multivalue tuples',
  'imports one name with two types, which C does not have': 'old_import',
  'is written in an older text format, which wabt does not read': `old_block old_br_if old_float_exprs
    old_float_literals old_loop old_select old_unreachable`,
  'is a malformed module in text, and a service is not built of text': `address-offset-range.fail f32.load32.fail
    f32.load64.fail f32.store32.fail f32.store64.fail f64.load32.fail f64.load64.fail f64.store32.fail f64.store64.fail
    func-local-after-body.fail func-local-before-param.fail func-local-before-result.fail func-param-after-body.fail
    func-result-after-body.fail func-result-before-param.fail i32.load32_s.fail i32.load32_u.fail i32.load64_s.fail
    i32.load64_u.fail i32.store32.fail i32.store64.fail i64.load64_s.fail i64.load64_u.fail i64.store64.fail
    import-after-func.fail import-after-global.fail import-after-memory.fail import-after-table.fail
    of_string-overflow-hex-u32.fail of_string-overflow-hex-u64.fail of_string-overflow-s32.fail
    of_string-overflow-s64.fail of_string-overflow-u32.fail of_string-overflow-u64.fail`,
};

/** @type {ReadonlyMap<string, string>} from a file's name to why it is left out */
export const filesLeftOut = new Map(
  Object.entries(filesByReason).flatMap(([reason, names]) =>
    names.split(/\s+/).map((name) => [`${name}.wast`, reason]),
  ),
);

const linesByReason = [
  ['func.wast', [493, 497], 'a function may have several results today'],
  ['type.wast', [53, 57], 'a function may have several results today'],
  ['unreached-invalid.wast', [539], 'the labels of br_table may differ today, where nothing is reached'],
  ['elem.wast', [366, 367, 368, 379, 380, 381], 'another module has written to the table'],
  ['resizing.wast', [45], 'a memory may be refused to grow, and one beyond 256 MiB is'],
];

/** @type {ReadonlyMap<string, ReadonlyMap<number, string>>} from a file's name to its lines that are left out, and why */
export const linesLeftOut = new Map(
  linesByReason.map(([file, lines, reason]) => [file, new Map(lines.map((line) => [line, reason]))]),
);
