// A module whose operations do what modules must be able to do without harm to their guest.

const looping = {
  tight: '(loop $l (br $l))',
  'two-loops': '(loop $a (loop $b (br_if $a (i32.const 1)) (br $b)))',
  br_table: '(loop $l (block $b (br_table $b $l (i32.const 1))))',
  'calls-itself-by-table': '(loop $l (call_indirect (type $nothing) (i32.const 0)) (br $l))',
  copies: '(loop $l (memory.copy (i32.const 65536) (i32.const 131072) (i32.const 500000)) (br $l))',
  fills: '(loop $l (memory.fill (i32.const 65536) (i32.const 0) (i32.const 500000)) (br $l))',
  'fills-tables': '(loop $l (table.fill $u (i32.const 0) (ref.null func) (i32.const 10000)) (br $l))',
  prints: '(loop $l (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))) (br $l))',
  draws: '(loop $l (drop (call $random_get (i32.const 65536) (i32.const 500000))) (br $l))',
};

const trapping = {
  unreachable: ['(unreachable)', 'unreachable'],
  recursion: ['(call $recursion (i32.const 0)) drop', 'call stack exhausted'],
  'mutual-recursion': ['(call $ping)', 'call stack exhausted'],
  'recursion-by-table': ['(call_indirect (type $nothing) (i32.const 1))', 'call stack exhausted'],
  'loads-outside': ['(drop (i32.load (i32.const 0x7ffffffc)))', 'out of bounds'],
  'loads-at-the-edge': [
    '(drop (i32.load offset=1 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4))))',
    'out of bounds',
  ],
  'stores-outside': ['(i64.store offset=0xffffffff (i32.const -1) (i64.const 1))', 'out of bounds'],
  'copies-outside': ['(memory.copy (i32.const 0) (i32.const 1) (i32.const -1))', 'out of bounds'],
  'divides-by-zero': ['(drop (i32.div_u (i32.const 1) (i32.load (i32.const 60))))', 'integer divide by zero'],
  'divides-too-far': ['(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))', 'integer overflow'],
  'truncates-nan': ['(drop (i32.trunc_f64_s (f64.const nan)))', 'invalid conversion to integer'],
  'truncates-too-far': ['(drop (i32.trunc_f64_s (f64.const 1e20)))', 'integer overflow'],
  'calls-null': ['(call_indirect (type $nothing) (i32.const 2))', 'invalid indirect call'],
  'calls-outside': ['(call_indirect (type $nothing) (i32.const 1000))', 'invalid indirect call'],
  'calls-another-type': ['(drop (call_indirect (type $one) (i32.const 1) (i32.const 0)))', 'invalid indirect call'],
  'table-outside': ['(drop (table.get $u (i32.const 20000)))', 'out of bounds'],
  exits: ['(call $proc_exit (i32.const 0))', 'aborted'],
  'prints-outside': [
    '(i32.store (i32.const 16) (i32.const -16)) (i32.store (i32.const 20) (i32.const 100)) (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))',
    'out of bounds',
  ],
  'fails-outside': ['(call $fail (i32.const 400) (i32.const -1) (i32.const 2))', 'out of bounds'],
};

export const loops = Object.keys(looping);
export const trapsOf = Object.fromEntries(Object.entries(trapping).map(([name, [, trap]]) => [name, trap]));

const operation = (name, body) =>
  `(func (export "shoal_op_${name}") (param $at i32) (param $size i32) (result i64) ${body})`;
const nothing = '(i64.const 0)';

/** `extra` are more fields, as exports that say something of the module. */
export const hostileModule = (extra = '') => `(module
  (type $nothing (func)) (type $one (func (param i32) (result i32)))
  (import "shoal" "fail" (func $fail (param i32 i32 i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 16)
  (table $t 3 20 funcref) (table $u 10000 20000 funcref)
  (elem (table $t) (i32.const 0) func $idle $deeper)
  (global $next (mut i32) (i32.const 1024)) (global $count (mut i32) (i32.const 48))
  (data (i32.const 16) "\\20\\00\\00\\00\\06\\00\\00\\00") (data (i32.const 32) "line!\\n")
  (data (i32.const 64) "not so") (data (i32.const 80) "\\ff\\fe") (data $segment "S")
  ${extra}
  (func $idle)
  (func $deeper (call_indirect (type $nothing) (i32.const 1)))
  (func $recursion (param $n i32) (result i32) (i32.add (call $recursion (i32.add (local.get $n) (i32.const 1))) (i32.const 1)))
  (func $ping (call $pong)) (func $pong (call $ping))
  (func $answer (param $at i32) (param $size i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $size))))
  (func (export "shoal_alloc") (param $size i32) (result i32) (local $at i32)
    (local.set $at (global.get $next))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (local.get $size) (i32.const 900000)) (then (return (i32.const 0))))
    (local.get $at))
  ${operation('echo', '(call $answer (local.get $at) (local.get $size))')}
  ${operation(
    'leaves-traces',
    // How often it was called, by each kind of state that there is; the answer is six digits that are all the same in a fresh instance.
    `(global.set $count (i32.add (global.get $count) (i32.const 1)))
     (i32.store8 (i32.const 100) (global.get $count))
     (i32.store8 (i32.const 900000) (i32.add (i32.load8_u (i32.const 900000)) (i32.const 1)))
     (i32.store8 (i32.const 101) (i32.add (i32.load8_u (i32.const 900000)) (i32.const 48)))
     (i32.store8 (i32.const 102) (i32.add (i32.sub (memory.grow (i32.const 1)) (i32.const 16)) (i32.const 49)))
     (i32.store8 (i32.const 103) (i32.add (i32.load8_u (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 9))) (i32.const 49)))
     (i32.store8 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 9)) (i32.const 1))
     (i32.store8 (i32.const 104) (i32.add (i32.eqz (ref.is_null (table.get $t (i32.const 2)))) (i32.const 49)))
     (table.set $t (i32.const 2) (ref.func $idle))
     (i32.store8 (i32.const 105) (i32.add (i32.sub (table.grow $t (ref.func $idle) (i32.const 1)) (i32.const 3)) (i32.const 49)))
     (memory.init $segment (i32.const 106) (i32.const 0) (select (i32.const 1) (i32.const 0) (i32.eq (global.get $count) (i32.const 49))))
     (data.drop $segment)
     (call $answer (i32.const 100) (i32.const 7))`,
  )}
  ${operation(
    'writes-across',
    // From the last bytes of a page into the next one, which nothing else writes to: a 0 as long as it is fresh.
    `(local $old i32) (local.set $old (i32.load8_u (i32.const 0x51003)))
     (i64.store (i32.const 0x50ffc) (i64.const -1))
     (i32.store8 (i32.const 110) (i32.add (local.get $old) (i32.const 48)))
     (call $answer (i32.const 110) (i32.const 1))`,
  )}
  ${operation('fails', '(call $fail (i32.const 422) (i32.const 64) (i32.const 6)) (i64.const -1)')}
  ${operation('fails-then-traps', '(call $fail (i32.const 409) (i32.const 64) (i32.const 6)) unreachable')}
  ${operation('fails-in-bytes', '(call $fail (i32.const 400) (i32.const 80) (i32.const 2)) (i64.const 0)')}
  ${operation('answers-bytes', '(call $answer (i32.const 80) (i32.const 2))')}
  ${operation('answers-much', '(memory.fill (i32.const 0) (i32.const 65) (i32.const 1048576)) (drop (memory.grow (i32.const 8))) (memory.fill (i32.const 1048576) (i32.const 65) (i32.const 500000)) (call $answer (i32.const 0) (i32.const 1500000))')}
  ${operation('answers-outside', '(call $answer (i32.const 1048570) (i32.const 10))')}
  ${operation('grows', '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable')}
  ${operation('grows-and-lives', '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (i32.store8 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1)) (i32.const 1)) (call $answer (local.get $at) (local.get $size))')}
  ${operation('grows-tables', '(loop $l (br_if $l (i32.ne (table.grow $u (ref.null func) (i32.const 100)) (i32.const -1)))) (call $answer (local.get $at) (local.get $size))')}
  ${Object.entries(looping)
    .map(([name, body]) => operation(name, `${body} ${nothing}`))
    .join('\n  ')}
  ${Object.entries(trapping)
    .map(([name, [body]]) => operation(name, `${body} ${nothing}`))
    .join('\n  ')}
)
`;
