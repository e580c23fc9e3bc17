// A module that runs any one instruction on any operands, and the operands that it is worth to be run on.
//
// Its operation `run` takes records of hexadecimal digits: 4 for the function's number, 16 for each of two operands. It answers with 16 for
// each result. Operands and results are bits: an i32 and an f32 stand in the lower half. `one` is for Node, which finds out what traps.

const integerUnary = ['clz', 'ctz', 'popcnt', 'eqz', 'extend8_s', 'extend16_s'];
const integerBinary = [
  ...[
    'add',
    'sub',
    'mul',
    'div_s',
    'div_u',
    'rem_s',
    'rem_u',
    'and',
    'or',
    'xor',
    'shl',
    'shr_s',
    'shr_u',
    'rotl',
    'rotr',
  ],
  ...['eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u'],
];
const floatUnary = ['abs', 'neg', 'ceil', 'floor', 'trunc', 'nearest', 'sqrt'];
const floatBinary = ['add', 'sub', 'mul', 'div', 'min', 'max', 'copysign', 'eq', 'ne', 'lt', 'gt', 'le', 'ge'];
const comparisons = /^(eqz?|ne|[lg][te](_[su])?)$/;
/** The bits of these are told even if they are NaN. */
const keepNan = /^(abs|neg|copysign)$/;

const conversions = [
  ...['i32.wrap_i64', 'i64.extend_i32_s', 'i64.extend_i32_u', 'f32.demote_f64', 'f64.promote_f32'],
  ...['i32.reinterpret_f32', 'i64.reinterpret_f64', 'f32.reinterpret_i32', 'f64.reinterpret_i64'],
  ...['i32', 'i64'].flatMap((to) =>
    ['f32', 'f64'].flatMap((from) =>
      ['s', 'u'].flatMap((sign) => [`${to}.trunc_${from}_${sign}`, `${to}.trunc_sat_${from}_${sign}`]),
    ),
  ),
  ...['f32', 'f64'].flatMap((to) =>
    ['i32', 'i64'].flatMap((from) => ['s', 'u'].map((sign) => `${to}.convert_${from}_${sign}`)),
  ),
];
const loads = {
  i32: ['load', 'load8_s', 'load8_u', 'load16_s', 'load16_u'],
  i64: ['load', 'load8_s', 'load8_u', 'load16_s', 'load16_u', 'load32_s', 'load32_u'],
  f32: ['load'],
  f64: ['load'],
};
const stores = {
  i32: ['store', 'store8', 'store16'],
  i64: ['store', 'store8', 'store16', 'store32'],
  f32: ['store'],
  f64: ['store'],
};

const fromBits = {
  i32: (bits) => `(i32.wrap_i64 ${bits})`,
  i64: (bits) => bits,
  f32: (bits) => `(f32.reinterpret_i32 (i32.wrap_i64 ${bits}))`,
  f64: (bits) => `(f64.reinterpret_i64 ${bits})`,
};
const toBits = {
  i32: (value) => `(i64.extend_i32_u ${value})`,
  i64: (value) => value,
  f32: (value) => `(call $bits32 ${value})`,
  f64: (value) => `(call $bits64 ${value})`,
};
const toBitsAsTheyAre = {
  ...toBits,
  f32: (value) => `(i64.extend_i32_u (i32.reinterpret_f32 ${value}))`,
  f64: (value) => `(i64.reinterpret_f64 ${value})`,
};
const a = '(local.get $a)';
const b = '(local.get $b)';
const scratch = '(i32.const 64)';
const near = `(i32.add ${scratch} (i32.and (i32.wrap_i64 ${b}) (i32.const 7)))`;

/** name, body and the kinds of its two operands */
function list() {
  const found = [];
  const add = (name, body, left, right = 'nothing') => found.push({ name, body, left, right });
  for (const type of ['i32', 'i64']) {
    for (const name of type === 'i64' ? [...integerUnary, 'extend32_s'] : integerUnary) {
      const result = name === 'eqz' ? 'i32' : type;
      add(`${type}.${name}`, toBits[result](`(${type}.${name} ${fromBits[type](a)})`), type);
    }
    for (const name of integerBinary) {
      const result = comparisons.test(name) ? 'i32' : type;
      add(`${type}.${name}`, toBits[result](`(${type}.${name} ${fromBits[type](a)} ${fromBits[type](b)})`), type, type);
    }
  }
  for (const type of ['f32', 'f64']) {
    for (const name of floatUnary) {
      const bits = keepNan.test(name) ? toBitsAsTheyAre : toBits;
      add(`${type}.${name}`, bits[type](`(${type}.${name} ${fromBits[type](a)})`), type);
    }
    for (const name of floatBinary) {
      const bits = keepNan.test(name) ? toBitsAsTheyAre : toBits;
      const result = comparisons.test(name) ? 'i32' : type;
      add(`${type}.${name}`, bits[result](`(${type}.${name} ${fromBits[type](a)} ${fromBits[type](b)})`), type, type);
    }
  }
  for (const name of conversions) {
    const to = name.slice(0, 3);
    const from = /[if](32|64)/.exec(name.slice(4))[0];
    const bits = /reinterpret/.test(name) ? toBitsAsTheyAre : toBits;
    add(name, bits[to](`(${name} ${fromBits[from](a)})`), from);
  }
  for (const [type, names] of Object.entries(loads)) {
    for (const name of names) {
      const fill = `(i64.store ${scratch} ${a}) (i64.store offset=8 ${scratch} (i64.const 0x8877665544332211))`;
      add(`${type}.${name}`, `${fill} ${toBitsAsTheyAre[type](`(${type}.${name} ${near})`)}`, 'i64', 'offset');
    }
  }
  for (const [type, names] of Object.entries(stores)) {
    for (const name of names) {
      const clear = `(i64.store ${scratch} (i64.const -1)) (i64.store offset=8 ${scratch} (i64.const -1))`;
      const back = `(i64.xor (i64.load ${scratch}) (i64.rotl (i64.load offset=8 ${scratch}) (i64.const 8)))`;
      add(`${type}.${name}`, `${clear} (${type}.${name} ${near} ${fromBits[type](a)}) ${back}`, 'i64', 'offset');
    }
  }
  const index = `(i32.and (i32.wrap_i64 ${b}) (i32.const 3))`;
  const control = {
    select: `(select ${a} ${b} (i32.and (i32.wrap_i64 ${a}) (i32.const 1)))`,
    br_table: `(block $d (block $c (block $b (block $a (br_table $a $b $c $d ${index})) (return (i64.const 10))) (return (i64.const 20))) (return ${a})) (i64.const 40)`,
    if: `(if (result i64) (i64.lt_s ${a} ${b}) (then (i64.const 1)) (else (i64.const 2)))`,
    loop: `(local $i i64) (local $sum i64) (local.set $i (i64.and ${a} (i64.const 0xff)))
      (loop $l (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (local.get $i)))
        (local.set $i (i64.sub (local.get $i) (i64.const 1))) (br_if $l (i64.ge_s (local.get $i) (i64.const 0)))) (local.get $sum)`,
    'nested loops': `(local $i i32) (local $j i32) (local $sum i64) (local.set $i (i32.const 20))
      (loop $o (local.set $j (i32.const 20)) (loop $n
        (block $skip (br_if $skip (i32.and (local.get $j) (i32.const 1)))
          (local.set $sum (i64.xor (i64.rotl (local.get $sum) (i64.const 3)) (i64.add ${a} (i64.extend_i32_u (i32.mul (local.get $i) (local.get $j)))))))
        (br_if $n (local.tee $j (i32.sub (local.get $j) (i32.const 1)))))
        (br_if $o (local.tee $i (i32.sub (local.get $i) (i32.const 1))))) (local.get $sum)`,
    'multi-value': `(call $swap ${a} ${b}) (i64.sub)`,
    'multi-value block': `${a} ${b} (block (param i64 i64) (result i64 i64) (i64.const 3) (i64.mul)) (i64.xor)`,
    recursion: `(call $factorial (i64.and ${a} (i64.const 31)))`,
    call_indirect: `(call_indirect $t (type $binary) ${a} ${b} ${index})`,
    'call_indirect, any': `(call_indirect $t (type $binary) ${a} ${b} (i32.and (i32.wrap_i64 ${b}) (i32.const 15)))`,
    global: `(global.set $g ${a}) (i64.add (global.get $g) ${b})`,
    'memory.size': `(i64.extend_i32_u (memory.size))`,
    'memory.grow': `(i64.extend_i32_u (memory.grow (i32.and (i32.wrap_i64 ${a}) (i32.const 0x80000001))))`,
    'memory.fill': `(memory.fill ${scratch} (i32.wrap_i64 ${a}) (i32.const 16)) (i64.load ${near})`,
    'memory.copy': `(i64.store ${scratch} ${a}) (memory.copy ${near} ${scratch} (i32.const 8)) (i64.load ${scratch})`,
    'memory.init': `(memory.init $passive ${scratch} ${index} (i32.const 8)) (i64.load ${scratch})`,
    'memory.init, any': `(memory.init $passive ${scratch} (i32.wrap_i64 ${b}) (i32.const 8)) (i64.load ${scratch})`,
    'data.drop': `(data.drop $dropped) (memory.init $dropped ${scratch} ${index} (i32.const 0)) ${a}`,
    'memory.copy, any': `(memory.copy (i32.wrap_i64 ${a}) (i32.wrap_i64 ${b}) (i32.const 4)) ${a}`,
    'load, any': `(i64.load offset=0xfffffff0 (i32.wrap_i64 ${a}))`,
    'table.size': `(i64.extend_i32_u (table.size $t))`,
    'table.get': `(i64.extend_i32_u (ref.is_null (table.get $t (i32.and (i32.wrap_i64 ${a}) (i32.const 7)))))`,
    'table.set': `(table.set $u (i32.const 1) (table.get $t ${index})) (i64.extend_i32_u (ref.is_null (table.get $u (i32.const 1))))`,
    'table.grow': `(i64.extend_i32_u (table.grow $u (ref.null func) (i32.and (i32.wrap_i64 ${a}) (i32.const 0x8000000f))))`,
    'table.fill': `(table.fill $u (i32.const 0) (ref.func $swap) ${index}) (i64.extend_i32_u (ref.is_null (table.get $u (i32.const 2))))`,
    'table.copy': `(table.copy $u $t (i32.const 0) (i32.const 0) ${index}) (i64.extend_i32_u (ref.is_null (table.get $u (i32.const 2))))`,
    'table.init': `(table.init $u $passiveElements (i32.const 0) ${index} (i32.const 1)) (call_indirect $u (type $binary) ${a} ${b} (i32.const 0))`,
    'ref.func': `(table.set $u (i32.const 0) (ref.func $subtract)) (call_indirect $u (type $binary) ${a} ${b} (i32.const 0))`,
    unreachable: `(if (i64.eq ${a} ${b}) (then unreachable)) ${a}`,
  };
  for (const [name, body] of Object.entries(control)) add(name, body, 'i64', 'i64');
  return found;
}

export const instructions = list();

const head = `
  (type $binary (func (param i64 i64) (result i64)))
  (memory (export "memory") 40 60)
  (table $t 8 funcref) (table $u 3 100 funcref) (table $all ${instructions.length} funcref)
  (global $g (mut i64) (i64.const 0)) (global $next (mut i32) (i32.const 4096))
  (elem (table $t) (i32.const 0) func $plus $subtract $times $plus)
  (elem (table $t) (i32.const 6) func $swap)
  (elem $passiveElements func $plus $subtract $times $plus)
  (data $passive "0123456789abcdef") (data $dropped "x")
  (func $plus (type $binary) (i64.add ${'(local.get 0) (local.get 1)'}))
  (func $subtract (type $binary) (i64.sub ${'(local.get 0) (local.get 1)'}))
  (func $times (type $binary) (i64.mul ${'(local.get 0) (local.get 1)'}))
  (func $swap (param i64 i64) (result i64 i64) (local.get 1) (local.get 0))
  (func $factorial (param $n i64) (result i64)
    (if (result i64) (i64.eqz (local.get $n)) (then (i64.const 1))
      (else (i64.mul (local.get $n) (call $factorial (i64.sub (local.get $n) (i64.const 1)))))))
  (func $bits32 (param $x f32) (result i64)
    (if (result i64) (f32.ne (local.get $x) (local.get $x)) (then (i64.const 0x7fc00000))
      (else (i64.extend_i32_u (i32.reinterpret_f32 (local.get $x))))))
  (func $bits64 (param $x f64) (result i64)
    (if (result i64) (f64.ne (local.get $x) (local.get $x)) (then (i64.const 0x7ff8000000000000))
      (else (i64.reinterpret_f64 (local.get $x)))))
  (func (export "shoal_alloc") (param $size i32) (result i32) (local $at i32)
    (local.set $at (global.get $next))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func $take (param $at i32) (param $digits i32) (result i64) (local $value i64) (local $digit i32)
    (loop $l
      (local.set $digit (i32.load8_u (local.get $at)))
      (local.set $digit (i32.sub (local.get $digit) (select (i32.const 87) (i32.const 48) (i32.gt_u (local.get $digit) (i32.const 57)))))
      (local.set $value (i64.or (i64.shl (local.get $value) (i64.const 4)) (i64.extend_i32_u (local.get $digit))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $l (local.tee $digits (i32.sub (local.get $digits) (i32.const 1)))))
    (local.get $value))
  (func $put (param $at i32) (param $value i64) (local $i i32) (local $digit i32)
    (loop $l
      (local.set $digit (i32.and (i32.wrap_i64 (i64.shr_u (local.get $value) (i64.const 60))) (i32.const 15)))
      (i32.store8 (local.get $at) (i32.add (local.get $digit) (select (i32.const 87) (i32.const 48) (i32.gt_u (local.get $digit) (i32.const 9)))))
      (local.set $value (i64.shl (local.get $value) (i64.const 4)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16)))))
  (func (export "one") (param $function i32) (param $a i64) (param $b i64) (result i64)
    (call_indirect $all (type $binary) (local.get $a) (local.get $b) (local.get $function)))
  (func (export "shoal_op_run") (param $at i32) (param $size i32) (result i64) (local $start i32) (local $out i32) (local $end i32)
    (local.set $start (global.get $next))
    (local.set $out (local.get $start))
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (block $done (loop $l
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (call $put (local.get $out) (call_indirect $all (type $binary)
        (call $take (i32.add (local.get $at) (i32.const 4)) (i32.const 16))
        (call $take (i32.add (local.get $at) (i32.const 20)) (i32.const 16))
        (i32.wrap_i64 (call $take (local.get $at) (i32.const 4)))))
      (local.set $at (i32.add (local.get $at) (i32.const 36)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br $l)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get $start)) (i64.const 32))
      (i64.extend_i32_u (i32.sub (local.get $out) (local.get $start)))))`;

export function moduleText() {
  const functions = instructions.map(
    ({ body }, at) => `  (func $f${at} (param $a i64) (param $b i64) (result i64) ${body})`,
  );
  const all = `  (elem (table $all) (i32.const 0) func ${instructions.map((_, at) => `$f${at}`).join(' ')})`;
  return `(module${head}\n${functions.join('\n')}\n${all})\n`;
}

const view = new DataView(new ArrayBuffer(8));
function float32(value) {
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}
function float64(value) {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

const numbers = [
  0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994, 4503599627370495.5, -8388607.5, 8388608, 1e300, -1e-300,
  3.4e38, 1e-45,
];
const limits = [
  2147483647,
  2147483648,
  -2147483648,
  -2147483649,
  4294967295,
  4294967296,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  2147483520,
  2 ** 63 - 2 ** 39,
  16777217,
  0.1,
  Infinity,
  -Infinity,
];
const operands = {
  nothing: [0n],
  offset: [0n, 1n, 3n, 7n],
  i32: [
    0n,
    1n,
    2n,
    7n,
    31n,
    32n,
    33n,
    0x7fn,
    0x80n,
    0xffn,
    0x8000n,
    0xffffn,
    0x7fffffffn,
    0x80000000n,
    0x80000001n,
    0xfffffffen,
    0xffffffffn,
    0x12345678n,
  ],
  i64: [
    0n,
    1n,
    2n,
    63n,
    64n,
    65n,
    0x80n,
    0x8000n,
    0x7fffffffn,
    0x80000000n,
    0xffffffffn,
    0x100000000n,
    0x7fffffffffffffffn,
    0x8000000000000000n,
    0x8000000000000001n,
    0xffffffffffffffffn,
    0x123456789abcdef0n,
  ],
  f32: [...[...numbers, ...limits].map(float32), 0x7fc00000n, 0xffc00000n, 0x7fa00001n, 1n, 0x80000001n],
  f64: [
    ...[...numbers, ...limits].map(float64),
    0x7ff8000000000000n,
    0xfff8000000000000n,
    0x7ff4000000000001n,
    1n,
    0x8000000000000001n,
  ],
};

/** Each instruction on each pair of what is worth it, as records. */
export function records() {
  const digits = (value, count) => value.toString(16).padStart(count, '0');
  return instructions.flatMap(({ left, right }, at) =>
    operands[left].flatMap((one) =>
      operands[right].map((other) => digits(at, 4) + digits(one, 16) + digits(other, 16)),
    ),
  );
}
