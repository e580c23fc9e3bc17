// Small programs that must come out the same in Node and in the engine: each is an expression, or a body that returns. What Node and the
// engine may differ in by the language's own rules (messages of errors, stacks, locales, the implementation of Date's parser) is not here.

/** Evaluated on both sides: how a value is compared. Self-contained. */
export const showSource = `function show(value) {
  const seen = [];
  const inner = (v) => {
    if (typeof v === 'string') return JSON.stringify(v);
    if (typeof v === 'bigint') return v + 'n';
    if (Object.is(v, -0)) return '-0';
    if (typeof v === 'symbol') return String(v);
    if (typeof v === 'function') return 'function ' + v.name + '/' + v.length;
    if (v === null || typeof v !== 'object') return String(v);
    if (seen.includes(v)) return '<cycle>';
    seen.push(v);
    try {
      if (v instanceof Error) return v.name;
      if (v instanceof Date) return 'Date ' + v.getTime();
      if (v instanceof RegExp) return String(v);
      if (v instanceof Map) return 'Map{' + [...v].map(([k, x]) => inner(k) + '=>' + inner(x)).join() + '}';
      if (v instanceof Set) return 'Set{' + [...v].map(inner).join() + '}';
      if (ArrayBuffer.isView(v) && !(v instanceof DataView)) return v.constructor.name + '[' + [...v].map(inner).join() + ']';
      if (Array.isArray(v)) {
        const parts = [];
        for (let i = 0; i < v.length; i++) parts.push(i in v ? inner(v[i]) : '<hole>');
        for (const key of Object.keys(v)) if (!/^\\d+$/.test(key)) parts.push(key + ':' + inner(v[key]));
        return '[' + parts.join() + ']';
      }
      return '{' + Reflect.ownKeys(v).map((k) => String(k) + ':' + inner(v[k])).join() + '}';
    } finally {
      seen.pop();
    }
  };
  return inner(value);
}
async function evaluate(text) {
  try {
    return show(await new Function(/^\\s*(?:const|let|var|return|class|function|for|async function|try|label)\\b/.test(text) ? text : 'return (' + text + '\\n)')());
  } catch (error) {
    return 'threw ' + (error instanceof Error ? error.name : show(error));
  }
}`;

/** Every one of `left` with every one of `right`. */
const each = (left, right, make) => left.flatMap((a) => right.map((b) => make(a, b)));

const texts = [
  '""',
  '"abc"',
  '"größe ß ẞ"',
  '"İıΣσς ὈΔΥΣΣΕΎΣ"',
  '"e\\u0301 \\u00e9 \\ufb01"',
  '"a\\ud83d\\ude00b"',
  '"\\ud800x"',
  '" \\t\\n\\u00a0\\u2028x \\ufeff"',
  '"0\\u0000\\u0001"',
];

const strings = [
  ...each(
    texts,
    [
      'toUpperCase()',
      'toLowerCase()',
      'length',
      'trim()',
      'split("")',
      'normalize("NFC")',
      'normalize("NFKD")',
      'codePointAt(1)',
      'charCodeAt(1)',
      'at(-1)',
      'slice(-2)',
      'padStart(8, "ab")',
      'repeat(2)',
      'toWellFormed()',
      'isWellFormed()',
      'replaceAll(/./gsu, "<$&>")',
      'indexOf("b")',
      'localeCompare("abc") < 0',
    ],
    (text, call) => `${text}.${call}`,
  ).filter((program) => !program.includes('localeCompare')),
  ...texts.map((text) => `[...${text}].map((c) => c.codePointAt(0))`),
  ...texts.map((text) => `JSON.stringify(${text})`),
  ...texts.map((text) => `(() => { try { return encodeURIComponent(${text}) } catch (e) { return e.name } })()`),
  ...texts.map((text) => `escape(${text}) + unescape(escape(${text}))`),
  '"a-b-c".split("-", 2)',
  '"a1b2".split(/(\\d)/)',
  '"abcabc".lastIndexOf("b", 3)',
  '"abc".substring(2, 0) + "abc".substr(-2, 1)',
  '"x".concat(1, null, undefined, [2, 3])',
  '"abc".replace("b", "[$`|$&|$\'|$$]")',
  '"aaa".replace(/a/g, (m, i) => m + i)',
  '"2020-01-02".replace(/(?<y>\\d+)-(?<m>\\d+)-(?<d>\\d+)/, "$<d>.$<m>.$<y>")',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the program's
  'String.raw`a\\n${1 + 1}`',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the program's
  '((s, ...v) => [s.raw, [...s], v])`x${1}\\u0041${"y"}z`',
  'String.fromCodePoint(0x1f600, 97) + String.fromCharCode(0xd83d, 0xde00)',
  '"abc" < "abd" && "Z" < "a" && "10" < "9"',
  '"\\u{1F468}\\u200D\\u{1F469}".length',
  '"ab\\\ncd"',
  '[..."añb"].reverse().join("")',
  '"x".anchor("a\\"b")',
  '["b", "a", "ä", "B", "10", "9"].sort()',
  '"a,b,,c".split(",")',
  '"tEST".at(0).toUpperCase() + "tEST".slice(1).toLowerCase()',
  'Array.from("a😀b", (c, i) => c + i)',
  '"%E4%F6%FC" + decodeURIComponent("%C3%A4") + encodeURI("ä?&/ö")',
  '(() => { try { decodeURIComponent("%E4") } catch (e) { return e.name } })()',
  'btoa("hello") + atob("aGVsbG8=")',
];

const patterns = [
  ...each(
    [
      '/a+/',
      '/a+?/g',
      '/(a)(b)?/',
      '/\\bfoo\\b/i',
      '/^x|y$/m',
      '/[^a-c]+/g',
      '/(?<=a)b/',
      '/(?<!a)b/g',
      '/a(?=b)/',
      '/a(?!b)/g',
      '/(\\w)\\1/',
      '/./su',
      '/\\u{61}/u',
      '/[\\p{L}]+/u',
      '/\\p{Script=Greek}/u',
      '/\\s+/',
    ],
    ['"aab foo xy"', '"b\\nx ab"', '"σ ß aa"', '""'],
    (pattern, text) =>
      `[${pattern}.exec(${text}), ${text}.match(${pattern}), ${text}.search(${pattern}), ${text}.replace(${pattern}, "-")]`,
  ),
  '[..."a1b22".matchAll(/[a-z](\\d+)/g)].map((m) => [m[0], m[1], m.index])',
  '/(?<a>x)(?<b>y)?/.exec("x").groups',
  '(() => { const r = /a/y; r.lastIndex = 1; return [r.test("ba"), r.lastIndex, r.test("ba"), r.lastIndex] })()',
  '/[\\p{Lu}--[A-C]]/v.test("D")',
  '/^\\p{RGI_Emoji}$/v.test("👨‍👩‍👧")',
  '/a/d.exec("ba").indices[0]',
  'new RegExp("/", "g").source + new RegExp("").source + /x/gimsuy.flags',
  '/(?:a|ab)(?:c|bcd)(?:d*)/.exec("abcd")',
  '/(z)((a+)?(b+)?(c))*/.exec("zaacbbbcac")',
  '/\\cA\\x41\\u0042[\\b]/.test("\\u0001AB\\b")',
  '"\\u212a".match(/k/iu) + "|" + "ſ".match(/s/iu) + "|" + "ſ".match(/s/i)',
  '"aBc".replace(/b/i, (x) => x.toUpperCase() + "!")',
  '"x".replace(/(y)?x/, "[$1]")',
  '/^(?:\\d{1,3}\\.){3}\\d{1,3}$/.test("192.168.0.1")',
  '"The Quick".split(/(?=[A-Z])/)',
  '/(?i:a)b/.test("Ab") + "" + /(?i:a)b/.test("AB")',
  '(() => { try { new RegExp("(") } catch (e) { return e.name } })()',
  '(() => { try { new RegExp("a", "gg") } catch (e) { return e.name } })()',
  'RegExp.escape?.("a.b*") ?? "a".length',
].filter((program) => !program.includes('RegExp.escape'));

const numbers = [
  ...each(
    ['0', '-0', '1.5', '123456789.123', '1e21', '5e-7', 'NaN', '-Infinity', '2 ** 53', '0.1 + 0.2', '4.35', '1e-7'],
    ['toString()', 'toFixed(2)', 'toExponential(3)', 'toPrecision(4)', 'toString(2)'],
    (number, call) => `(${number}).${call}`,
  ),
  ...each(
    ['"12px"', '"0x1f"', '" 42 "', '"1e3"', '"-"', '""', '"1_0"', '"0b11"', '"Infinity"', '".5"'],
    ['parseInt', 'parseFloat', 'Number'],
    (text, call) => `${call}(${text})`,
  ),
  ...['abs', 'ceil', 'floor', 'round', 'trunc', 'sign', 'sqrt', 'cbrt', 'fround', 'clz32', 'hypot'].map(
    (name) => `[-1.5, -0.5, -0, 0.5, 2.5, 1e10, NaN].map((x) => Math.${name}(x))`,
  ),
  ...['sin', 'cos', 'tan', 'atan', 'exp', 'log', 'log2', 'log10', 'log1p', 'expm1', 'sinh', 'tanh'].map(
    (name) => `[0.5, 1, 2, 10].map((x) => Math.${name}(x).toFixed(12))`,
  ),
  '[1 / 3, 1e300 * 1e10, -1 / 0, 0 / 0, 7 % -3, -7 % 3, 2 ** -1, 5.5 % 2]',
  '[1 << 31, 1 >>> 0, -1 >>> 0, -1 >> 1, ~5, 5 & 3, 5 | 3, 5 ^ 3, 2 ** 32 >> 0, 1 << 33]',
  '[Math.max(), Math.min(), Math.max(1, "3", null), Math.max(NaN, 1), Math.atan2(1, -1).toFixed(10), Math.imul(0xffffffff, 5), Math.pow(2, 0.5)]',
  '[0.1 * 3, 1.005 * 1000, 9007199254740993, 0.000001, 1e-7, 123e-20, 1e5, 1.7976931348623157e308, 5e-324]',
  '[Number.MAX_SAFE_INTEGER, Number.EPSILON, Number.isInteger(5.0), Number.isSafeInteger(2 ** 53)]',
  '[0.5, 1.5, 2.5, -0.5, -1.5].map(Math.round)',
  '[parseFloat("1.7976931348623159e308"), +"0x", +"\\n", +[], +{}, +[5], +"1,2", +true, +null, +undefined]',
  '(25).toString(36) + (0.1).toString(3).slice(0, 20) + (255).toString(16)',
  '(1.45).toFixed(1) + (8.345).toFixed(2) + (1.005).toFixed(2) + (-1.5).toFixed(0) + (1e21).toFixed(2)',
  '[..."0123456789"].map(Number).reduce((a, b) => a * 10 + b)',
  'Math.sumPrecise?.([0.1, 0.2, 0.3]) === undefined || true',
  // How many digits of a fraction a radix other than 10 shows is left to the implementation.
  '[0, 35, -71, 2 ** 52, 0.5, 0.25].map((x) => x.toString(36) + x.toString(16) + x.toString(8))',
  '[10, 9, 1, 100].sort() + "|" + [10, 9, 1, 100].sort((a, b) => a - b)',
];

const bigints = [
  '2n ** 200n',
  '(-7n / 2n) + "|" + (-7n % 2n) + "|" + (7n >> 1n) + "|" + (-7n >> 1n) + "|" + (1n << 100n)',
  'BigInt.asIntN(8, 255n) + "|" + BigInt.asUintN(8, -1n) + "|" + BigInt("0xff") + "|" + BigInt(2 ** 60)',
  '(12345678901234567890n * 98765432109876543210n).toString(36)',
  '[1n < 2, 2n == 2, 2n === 2, typeof 1n, 0n ? 1 : 2, 10n > 9.5]',
  '(() => { try { return 1n + 1 } catch (e) { return e.name } })()',
  '(() => { let a = 0n, b = 1n; for (let i = 0; i < 300; i++) [a, b] = [b, a + b]; return a })()',
  '(() => { let f = 1n; for (let i = 1n; i <= 100n; i++) f *= i; return f })()',
  '~5n & 0xffn | 256n ^ 3n',
  '-(2n ** 64n) / 3n',
  'BigInt.asUintN(64, -1n) % 1000000007n',
  '[3n, 1n, 2n, 10n].sort((a, b) => (a < b ? -1 : 1))',
  '(() => { try { BigInt(1.5) } catch (e) { return e.name } })()',
  '(() => { try { BigInt("1x") } catch (e) { return e.name } })()',
  'new BigInt64Array([1n, -1n, 2n ** 63n])',
  '(() => { const m = (b, e, n) => { let r = 1n; while (e) { if (e & 1n) r = r * b % n; b = b * b % n; e >>= 1n } return r }; return m(3n, 10n ** 30n, 10n ** 20n + 39n) })()',
  '0xffff_ffff_ffff_ffffn.toString(2).length',
  'Number(2n ** 64n) + Number(-5n)',
];

const objects = [
  '(() => { const { a, b: { c = 5, ...d }, ...e } = { a: 1, b: { x: 2, y: 3 }, f: 4 }; return [a, c, d, e] })()',
  '(() => { const [a, , b = 3, ...c] = [1, 2, undefined, 4, 5]; return [a, b, c] })()',
  'Object.entries({ b: 1, 2: 2, a: 3, 1: 4, [Symbol("s")]: 5 })',
  'Reflect.ownKeys({ b: 1, 2: 2, a: 3, 1: 4, [Symbol("s")]: 5 })',
  'Object.fromEntries(new Map([["a", 1], ["b", 2]]))',
  'Object.groupBy([1, 2, 3, 4], (n) => (n % 2 ? "odd" : "even")).odd',
  'Map.groupBy([1, 2, 3, 4], (n) => n % 2)',
  'Object.assign({ a: 1 }, null, { b: 2 }, "xy")',
  '(() => { const o = Object.freeze({ a: { b: 1 } }); o.a.b = 2; try { "use strict"; o.c = 1 } catch {} return [o, Object.isFrozen(o)] })()',
  '(() => { const o = { get x() { return 1 }, set x(v) { this.y = v } }; o.x = 5; return [o.y, Object.getOwnPropertyDescriptor(o, "x").get.name] })()',
  '(() => { class A { #p = 1; static s = 2; get p() { return this.#p } static #q() { return 3 } static r() { return A.#q() } has(o) { return #p in o } } const a = new A(); return [a.p, A.s, A.r(), a.has(a), a.has({})] })()',
  '(() => { class A { constructor(x) { this.x = x } toString() { return "A" + this.x } } class B extends A { constructor() { super(1); this.y = super.toString() } } return [new B(), String(new B()), new B() instanceof A] })()',
  '(() => { class A { static { this.z = 1 } ["c" + 1]() { return 2 } static async *g() { yield 1 } } return [A.z, new A().c1(), typeof A.g] })()',
  '(() => { const log = []; const p = new Proxy({}, { get(t, k) { log.push("get " + String(k)); return 1 }, has(t, k) { log.push("has " + k); return true }, set(t, k, v) { log.push("set " + k); return true }, deleteProperty(t, k) { log.push("delete " + k); return true }, ownKeys() { return ["a"] }, getOwnPropertyDescriptor() { return { value: 1, configurable: true, enumerable: true } } }); p.x; "y" in p; p.z = 1; delete p.w; return [log, Object.keys(p)] })()',
  '({ __proto__: { inherited: 1 } }).inherited + Object.keys({ __proto__: null, a: 1 })',
  '[typeof null, typeof undefined, typeof (() => 1), typeof Symbol(), void 0, null ?? 1, 0 || 2, 0 ?? 3]',
  '[[] + [], [] + {}, 1 + "2", "3" * "4", [] == false, null == 0, null >= 0, undefined == null, NaN != NaN, "b" + "a" + +"a" + "a"]',
  '({ a: { b: null } }).a?.b?.c ?? "none"',
  '(() => { let a = null; a ??= 1; a ||= 2; a &&= 3; return a })()',
  '(() => { const o = {}; Object.defineProperty(o, "x", { value: 1 }); o.x = 2; return [o.x, Object.keys(o), JSON.stringify(o)] })()',
  '(() => { var r = []; for (var k in { a: 1, __proto__: { b: 2 } }) r.push(k); for (const k in "ab") r.push(k); return r })()',
  '(() => { const s = Symbol.for("x"); return [Symbol.keyFor(s), s.description, s === Symbol.for("x"), Symbol("y").toString()] })()',
  '(() => { const w = new WeakMap(); const k = {}; w.set(k, 1); return [w.get(k), w.has({}), new WeakSet([k]).has(k)] })()',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the program's
  '({ valueOf: () => 42, toString: () => "s" }) + 1 + `${{ valueOf: () => 42, toString: () => "s" }}`',
  '({ [Symbol.toPrimitive]: (hint) => hint }) + "" + +({ [Symbol.toPrimitive]: () => 7 })',
  'Object.getOwnPropertyNames(class { static a() {} static b = 1 })',
  '(() => { function F() { return { a: 1 } } return [new F(), new (class { x = this.constructor.name })().x] })()',
  'structuredClone === undefined',
  '(() => { label: for (let i = 0; i < 3; i++) { for (let j = 0; j < 3; j++) { if (j == 1) continue label; if (i == 2) break label } } return "done" })()',
  '(() => { switch (3) { case 1: return "a"; default: return "d"; case 2: return "b" } })()',
  '(() => { try { return "t" } finally { globalThis.zz = 1 } })() + globalThis.zz',
  '(() => { const f = function g(n) { return n ? n * g(n - 1) : 1 }; return f(10) })()',
  '(function () { return [arguments.length, [...arguments], typeof this] })(1, 2)',
  '(() => { "use strict"; try { undeclared = 1 } catch (e) { return e.name } })()',
  '(() => { try { x; let x = 1 } catch (e) { return e.name } })()',
  'eval("var q = 5; q * 2")',
  'new Function("a", "b", "return a + b")(1, 2) + (0, eval)("1 + 1")',
  '[isNaN("x"), isFinite("5"), Number.isNaN("x")]',
  'Object.is(-0, 0) + "" + [NaN].includes(NaN) + [NaN].indexOf(NaN)',
].filter((program) => !program.startsWith('structuredClone'));

const arrays = [
  '[3, 1, 2].toSorted().concat([1, 2, 3].toReversed(), [1, 2, 3].with(1, 9), [1, 2, 3, 4].toSpliced(1, 2, "x"))',
  '[1, [2, [3, [4]]]].flat(Infinity) + "|" + [1, 2].flatMap((x) => [x, x * 2])',
  '[1, 2, 3, 4].findLast((x) => x % 2) + [1, 2, 3].findLastIndex((x) => x > 5) + [1, 2, 3].at(-1)',
  '(() => { const a = [1, 2, 3, 4, 5]; const r = a.splice(1, 2, "x", "y", "z"); return [a, r] })()',
  '[, 1, , 2].map((x) => x * 2)',
  '[5, , 3].forEach.length + [1, , 3].join("-") + [1, , 3].indexOf(undefined) + [1, , 3].includes(undefined)',
  'Array.from({ length: 5 }, (_, i) => i * i)',
  'Array.from(new Set([1, 2, 2, 3])).concat(Array.of(7), Array(3).fill(0))',
  '[1, 2, 3, 4, 5].copyWithin(0, 3).concat([1, 2, 3].fill(9, 1))',
  '[1, 2, 3].reduceRight((a, x) => a + x, "") + [[1, 2], [3]].reduce((a, x) => a.concat(x))',
  '(() => { const a = []; a[5] = 1; a.length = 3; a.x = 1; return [a.length, a] })()',
  '[3, 20, 100].sort() + "" + ["b", undefined, "a", , "c"].sort().length',
  '(() => { const people = Array.from({ length: 50 }, (_, i) => ({ k: i % 5, i })); return people.sort((a, b) => a.k - b.k).map((p) => p.i) })()',
  '[..."hello"].entries().next().value + [...[1, 2].keys()] + [...["a"].values()]',
  'new Uint8Array([1, 256, -1, 1.9, NaN]).toString() + new Uint8ClampedArray([300, -5, 1.5, 2.5]) + new Int16Array([40000])',
  'new Float32Array([1.1, 1e40])[0] + new Float64Array([1.1])[0]',
  '(() => { const d = new DataView(new ArrayBuffer(16)); d.setInt16(0, -2); d.setFloat64(4, Math.PI, true); d.setBigUint64(8, 5n); return [d.getUint16(0), d.getUint8(4), d.getBigInt64(8)] })()',
  'new Uint8Array([3, 1, 2]).sort().subarray(1).map((x) => x * 2)',
  'new Uint8Array(new Uint16Array([1, 2]).buffer).length',
  'Uint8Array.from("123", Number).reduce((a, b) => a + b)',
  '(() => { const b = new ArrayBuffer(8, { maxByteLength: 16 }); const v = new Uint8Array(b); b.resize(12); return [v.length, b.byteLength] })()',
  '[1, 2, 3].some((x) => x > 2) && [1, 2, 3].every((x) => x > 0)',
  '[10, 1, 5].sort((a, b) => b - a).lastIndexOf(1)',
  '(() => { const a = [1, 2, 3]; for (const x of a) if (a.length < 6) a.push(x * 10); return a })()',
  'Array.isArray(Array.prototype) + String([1, [2, [null, undefined]]])',
  '[1, 2, 3, 4].filter((x, i, all) => all.length - i > x)',
  '(() => { const big = Array.from({ length: 2000 }, (_, i) => (i * 7919) % 2003); return big.sort((a, b) => a - b).slice(0, 5).concat(big.at(-1)) })()',
  'Iterator.from([1, 2, 3]).map((x) => x * 2).filter((x) => x > 2).take(1).toArray()',
  '[1, 2, 3].values().drop(1).flatMap((x) => [x, x]).toArray()',
];

const collections = [
  '(() => { const m = new Map([[NaN, 1], [0, 2], ["a", 3]]); m.set(-0, 4); m.delete("a"); m.set("a", 5); return [m, m.get(NaN), m.size] })()',
  '(() => { const m = new Map([[1, 1], [2, 2]]); const r = []; for (const [k] of m) { r.push(k); if (k < 5) m.set(k + 2, 0); if (k === 1) m.delete(2) } return r })()',
  'new Set([1, 2, 3]).union(new Set([3, 4]))',
  'new Set([1, 2, 3]).intersection(new Set([3, 2]))',
  'new Set([1, 2, 3]).difference(new Set([2]))',
  'new Set([1, 2]).symmetricDifference(new Set([2, 3]))',
  '[new Set([1]).isSubsetOf(new Set([1, 2])), new Set([1, 2]).isSupersetOf(new Set([1])), new Set([1]).isDisjointFrom(new Set([2]))]',
  '(() => { const s = new Set("mississippi"); s.delete("s"); s.add("s"); return [...s].join("") })()',
  '[...new Map([["a", 1]]).entries()].concat([...new Set([1]).entries()])',
  '(() => { const m = new Map(); for (const c of "abracadabra") m.set(c, (m.get(c) ?? 0) + 1); return m })()',
  '(() => { const m = new Map(); for (let i = 0; i < 5000; i++) m.set("k" + i, i); for (let i = 0; i < 5000; i += 2) m.delete("k" + i); return [m.size, [...m.keys()].slice(0, 3)] })()',
  'new Map([["x", { y: new Set([1, new Map()]) }]])',
];

const json = [
  'JSON.stringify({ a: undefined, b: () => 1, c: Symbol(), d: NaN, e: -0, f: new Date(0), g: [undefined], h: "\\u2028\\ud800\\"" })',
  'JSON.stringify([1, { a: [], b: {} }], null, 2)',
  'JSON.stringify({ a: 1, b: { a: 2, c: 3 } }, ["a", "b"], "--")',
  'JSON.stringify({ a: 1, b: "x" }, (k, v) => (typeof v === "number" ? v + 1 : v))',
  'JSON.parse(\'{"a":[1,2,{"b":null}],"__proto__":1,"a2":1e3,"s":"\\\\u0041\\\\n"}\')',
  'JSON.parse("[1,2,3]", function (k, v) { return Array.isArray(v) ? v : v * 2 })',
  ...['{"a":1,}', '[1,]', "{'a':1}", '01', '1.', '"\\x"', '', 'nul', '"\t"', '[1] x', '{"a"}', '\ufeff1'].map(
    (text) => `(() => { try { return JSON.parse(${JSON.stringify(text)}) } catch (e) { return e.name } })()`,
  ),
  'JSON.stringify({ toJSON() { return { x: 1 } } }) + JSON.stringify(Object.create({ a: 1 }))',
  '(() => { const o = {}; o.o = o; try { JSON.stringify(o) } catch (e) { return e.name } })()',
  '(() => { try { JSON.stringify(1n) } catch (e) { return e.name } })()',
  'JSON.stringify("\\u007f\\u0080\\b\\f") + JSON.stringify(new Map([[1, 2]])) + JSON.stringify([new Number(1), new String("s"), Object(true)])',
  'JSON.stringify({ date: new Date(86400000), nested: [[[]]], empty: "" })',
  'JSON.parse(JSON.stringify({ deep: Array.from({ length: 20 }, (_, i) => ({ i, s: "x".repeat(i) })) })).deep[19]',
  'JSON.parse(" \\t\\n[ 1 , 2 ] \\r")',
  'JSON.stringify(null) + JSON.stringify(undefined) + JSON.stringify(Infinity) + JSON.stringify("")',
];

const functions = [
  '(() => { const fs = []; for (let i = 0; i < 3; i++) fs.push(() => i); for (var j = 0; j < 3; j++) fs.push(() => j); return fs.map((f) => f()) })()',
  '(() => { const counter = () => { let n = 0; return { up: () => ++n, get n() { return n } } }; const a = counter(), b = counter(); a.up(); a.up(); b.up(); return [a.n, b.n] })()',
  '((a, b = a + 1, { c = b } = {}, ...d) => [a, b, c, d])(1, undefined, undefined, 4, 5)',
  '(() => { const curry = (f) => (...a) => (a.length >= f.length ? f(...a) : curry(f.bind(null, ...a))); return curry((a, b, c) => a + b + c)(1)(2)(3) })()',
  '(() => { function* g() { const x = yield 1; try { yield x * 2 } finally { yield "f" } } const i = g(); return [i.next(), i.next(5), i.return(9), i.next(), i.next()] })()',
  '(() => { function* a() { yield* [1, 2]; return 3 } function* b() { const r = yield* a(); yield r } return [...b()] })()',
  '(() => { function* fib() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b] } } const r = []; for (const x of fib()) { if (x > 100) break; r.push(x) } return r })()',
  '(() => { function* g() { try { yield 1 } catch (e) { yield "caught " + e } } const i = g(); i.next(); return [i.throw("x"), i.next()] })()',
  '(() => { const it = { *[Symbol.iterator]() { yield* "ab" } }; const [x, y, z] = it; return [x, y, z, Math.max(...[1, 5, 3])] })()',
  '(() => { let closed = 0; const it = { [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }), return: () => (closed++, {}) }) }; for (const x of it) break; const [a] = it; return closed })()',
  '(() => { const memo = (f, c = new Map()) => (x) => c.get(x) ?? (c.set(x, f(x)), c.get(x)); let n = 0; const f = memo((x) => (n++, x * 2)); f(1); f(1); return [f(1), n] })()',
  '[(function () {}).name, (() => {}).name, (class X {}).name, (function a(b, c = 1, d) {}).length, ((...r) => 0).length]',
  '(() => { const o = { f() { return this?.x }, x: 1 }; const g = o.f; return [o.f(), (0, o.f).call({ x: 2 }), g.bind({ x: 3 })(), g.apply({ x: 4 }, [])] })()',
  '(() => { var f = (n) => (n < 2 ? n : f(n - 1) + f(n - 2)); return f(18) })()',
  '(() => { const compose = (...fs) => (x) => fs.reduceRight((a, f) => f(a), x); return compose((x) => x + 1, (x) => x * 2)(5) })()',
  '(() => { function f(a) { arguments[0] = 9; return a } function g(a) { "use strict"; arguments[0] = 9; return a } return [f(1), g(1)] })()',
  '(() => { const t = (n) => { try { return n ? t(n - 1) : "base" } finally { t.c = (t.c ?? 0) + 1 } }; return [t(5), t.c] })()',
  '(() => { try { null.x } catch ({ name }) { return name } })()',
  '(() => { try { (void 0)() } catch (e) { return e.constructor.name + (e instanceof TypeError) } })()',
  '(() => { const e = new Error("outer", { cause: new RangeError("inner") }); return [e.cause.name, e.message, String(e)] })()',
  '(() => { const e = new AggregateError([new Error("a")], "many"); return [e.errors.length, e.message] })()',
  '(() => { class MyError extends Error { name = "MyError" } try { throw new MyError("m") } catch (e) { return [e instanceof Error, String(e)] } })()',
  '(() => { const hanoi = (n, a, b, c) => (n ? hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a) : 0); return hanoi(10) })()',
];

const promises = [
  '(async () => { await null; return 1 })()',
  'Promise.all([1, Promise.resolve(2), (async () => 3)()])',
  'Promise.allSettled([Promise.reject(1), 2])',
  'Promise.race([new Promise(() => {}), Promise.resolve("fast")])',
  'Promise.any([Promise.reject(1), Promise.resolve(2)])',
  'Promise.any([Promise.reject(1)]).catch((e) => [e.name, e.errors])',
  '(async () => { const r = []; const a = async (n) => { r.push("a" + n); await null; r.push("b" + n) }; await Promise.all([a(1), a(2), a(3)]); return r })()',
  '(async () => { const r = []; Promise.resolve().then(() => r.push(1)).then(() => r.push(2)); queueMicrotask(() => r.push(3)); (async () => { await null; r.push(4); await null; r.push(5) })(); r.push(0); await new Promise((d) => { let n = 10; const f = () => (n-- ? queueMicrotask(f) : d()); f() }); return r })()',
  '(async () => { try { await Promise.reject(new TypeError("x")) } catch (e) { return e.message } finally { globalThis.fin = 1 } })()',
  '(async () => { async function* g() { yield 1; yield Promise.resolve(2); } const r = []; for await (const x of g()) r.push(x); for await (const y of [Promise.resolve(3), 4]) r.push(y); return r })()',
  'Promise.reject(5).finally(() => 6).catch((x) => x)',
  'Promise.resolve(1).then(2).then((x) => x + 1)',
  'new Promise((resolve, reject) => { resolve(1); reject(2); throw 3 })',
  'new Promise(() => { throw new RangeError("r") }).catch((e) => e.name)',
  '(async () => { const { promise, resolve } = Promise.withResolvers(); queueMicrotask(() => resolve("later")); return promise })()',
  'Promise.try?.(() => 7) ?? 7',
  '(async () => { let n = 0; for (let i = 0; i < 1000; i++) n += await i; return n })()',
  '(async () => { const thenable = { then: (ok) => ok("t") }; return [await thenable, await Promise.resolve(thenable)] })()',
  'Promise.all([]).then((x) => x.length)',
  '(async () => { const p = Promise.resolve(); const r = []; p.then(() => r.push("a")); await p; r.push("b"); await p.then(() => r.push("c")); return r })()',
  'Array.fromAsync([1, Promise.resolve(2)])',
  '(async () => { const e = await Promise.reject(1).then(() => 2, (x) => x + 10); return e })()',
];

// Both sides know no more of the time than these tell: the engine's clock begins with its machine.
const dates = [
  'new Date(0).toISOString()',
  'new Date(Date.UTC(2024, 1, 29, 12, 30, 45, 678)).toISOString()',
  'new Date("2024-02-29T12:30:45.678Z").getTime()',
  'new Date("2024-02-29T12:30:45+02:00").toISOString()',
  'new Date("2024-02-29").getTime()',
  'new Date(NaN).getTime()',
  '(() => { try { new Date(NaN).toISOString() } catch (e) { return e.name } })()',
  'JSON.stringify(new Date(1e12))',
  'new Date(8.64e15).toISOString() + new Date(8.64e15 + 1).getTime()',
  '(() => { const d = new Date(Date.UTC(2024, 0, 31)); d.setUTCMonth(1); return d.toISOString() })()',
  '(() => { const d = new Date(0); d.setUTCFullYear(2000, 11, 31); d.setUTCHours(25, 61, 61, 1001); return [d.getUTCDay(), d.getUTCDate(), d.toISOString()] })()',
  'Date.UTC(99, 0) + "|" + Date.UTC(2024) + "|" + Date.UTC(2024, 12, 0)',
  'new Date(2020, 5, 15, 10).getTime() - Date.UTC(2020, 5, 15, 10)',
  'new Date(2020, 0).getTimezoneOffset()',
  '[new Date(0).getDay(), new Date(0).toUTCString(), typeof Date.now(), Date.now() >= 0]',
  'new Date(-1).toISOString() + new Date(-62198755200000).toISOString()',
  'new Date("2024-13-01").getTime() + "|" + new Date("x").getTime()',
  'new Date(new Date(5)).getTime() + (new Date(7) - new Date(3))',
  'typeof (new Date(1) + 1)',
  'new Date(0).toString().slice(0, 24)',
];

export const programs = [
  strings,
  patterns,
  numbers,
  bigints,
  objects,
  arrays,
  collections,
  json,
  functions,
  promises,
  dates,
].flat();
