// Services for both hosts of the engine, with what they are asked.

/** Of an object of functions, with one on each line. */
function names(functions) {
  return [...functions.matchAll(/^ {2}(?:async |get )?\*?\[?"?([a-z0-9._-]+)"?\]?[(:]/gm)].map(([, name]) => name);
}

/** Each operation is asked once, in the order of the source. */
function eachOnce(functions, more = {}) {
  const operations = names(functions);
  return { functions, operations, requests: operations.map((name) => [name, 'x']), ...more };
}

const kinds = `{
  class: class A { constructor() { return 'x' } },
  *generator() { yield 'x' },
  async *asyncgenerator() { yield 'x' },
  proxy: new Proxy(function () { return 'inner' }, { apply(target, self, values) { return 'proxied ' + values.length + (self === shoalService.default) } }),
  throwingproxy: new Proxy(function () {}, { apply() { throw new Error('trap') } }),
  bound: function (a, b) { return this.who + a + b.operation }.bind({ who: 'bound ' }),
  get getter() { return () => 'got' },
  constructor() { return 'constructor' },
  ["__proto__"]() { return 'proto' },
  tostring() { return 'tostring' },
  "0"() { return 'zero ' + (this === shoalService.default) },
  "a.b-c"() { return 'dotted' },
  owner() { return String(this === shoalService.default) },
  strict() { 'use strict'; return String(this === shoalService.default) },
  arrow: () => String(this === globalThis),
  native: String.prototype.concat,
  upper: (text) => text.toUpperCase(),
  context(text, context) { return JSON.stringify(context) + Object.keys(context) + (Object.getPrototypeOf(context) === Object.prototype) + arguments.length },
  promise: async (text) => text,
  parse: JSON.parse,
}`;

const texts = `{
  reply() { return 'a\\ud800' },
  replylow() { return '\\udc00b\\ud83d\\ude00\\ud83d' },
  replyonly() { return '\\udfff' },
  async replylate() { await null; return '\\ud800\\ud800' },
  message() { throw new Error('x\\ud83d') },
  thrown() { throw '\\udc00' },
  cut() { throw new Error('a' + '\\ud83d\\ude00'.repeat(100)) },
  cuteven() { throw '\\ud83d\\ude00'.repeat(100) },
  cutlone() { throw '\\u20ac'.repeat(159) + '\\ud800' },
  log() { console.log('a\\ud800'); console.log('\\udc00', { a: '\\ud800' }); return 'x' },
  controls() { console.log('a\\u0000b\\u001bc\\rd\\te'); return '\\u0000\\u001b' },
  named() { throw Object.assign(new Error('m'), { name: '\\ud800' }) },
  status() { throw { status: 404, message: '\\ud800 gone' } },
  symbol() { throw Symbol('\\ud800') },
  json() { throw { a: '\\ud800' } },
  reject() { Promise.reject('\\ud800'); return 'x' },
  surrogates() { return '\\ud7ff\\ue000\\uffff' },
  blank() { return '' },
  bom() { return '\\ufeffx' },
  empty() { throw '' },
  del() { throw '\\u007f' },
}`;

const jobs = `{
  afterreply() { queueMicrotask(() => { throw new Error('late') }); return 'x' },
  twice() { queueMicrotask(() => { throw 1 }); queueMicrotask(() => { throw 2 }); return 'x' },
  afterthrow() { queueMicrotask(() => { console.log('ran'); throw new Error('job') }); throw new Error('first') },
  withstatus() { queueMicrotask(() => { throw { status: 418, message: 'tea' } }); return 'x' },
  nullthrown() { queueMicrotask(() => { throw null }); return 'x' },
  undefinedthrown() { queueMicrotask(() => { throw undefined }); return 'x' },
  rejections() { for (let i = 0; i < 20; i++) Promise.reject(new Error(String(i))); return 'x' },
  handled() { const all = []; for (let i = 0; i < 20; i++) all.push(Promise.reject(i)); queueMicrotask(() => { for (const p of all.slice(0, 12)) p.catch(() => 0); Promise.reject('more') }); return 'x' },
  rejectproxy() { Promise.reject(new Proxy({}, { getPrototypeOf() { Promise.reject('inner'); return null } })); return 'x' },
  afterproxy() { return 'x' },
  async both() { Promise.reject('lost'); throw new Error('own') },
  async thrownlate() { await null; throw { get message() { throw 1 } } },
  thenable() { return { then(done, fail) { console.log(new Error('in then')); fail(new Error('refused')) } } },
  thenabletwice() { return { then(done) { done('one'); done('two'); throw 3 } } },
  never() { return new Promise(() => 0) },
  forged() { throw new InternalError('out of memory') },
  forgedtext() { throw 'InternalError: out of memory' },
  forgedlate() { queueMicrotask(() => { throw 'InternalError: out of memory' }); return 'x' },
  forgedobject() { throw { toString() { console.log('shown'); return 'InternalError: out of memory' }, message: 'object' } },
  looks() { throw { get stack() { console.log('stack was read'); return '' }, message: 'm', toString() { console.log('text was made'); return 'x' } } },
  nullword() { throw 'null' },
  recursion() { return (function f() { return f() + 1 })() },
  recursive() { const e = () => { throw { get message() { return e() } } }; e() },
  place() { console.log(new Error('here')); return 'x' },
  fault() { null.x },
  async asyncfault() { await null; null.x },
  nested() { [1].map(() => JSON.parse('{', () => 0)) },
  cause() { throw new Error('outer', { cause: new TypeError('inner') }) },
  random() { return String(Math.random() === Math.random()) },
}`;

const bytes = `{
  same(b) { return b },
  text() { return 'text\\ud800' },
  typed(b, { contentType }) { return { payload: b, contentType: contentType ?? 'a/b' } },
  notype() { return { payload: 'x' } },
  lonetype() { return { payload: 'x', contentType: 'a/\\ud800' } },
  longtype() { return { payload: 'x', contentType: 'a'.repeat(256) } },
  longest() { return { payload: 'x', contentType: 'a'.repeat(255) } },
  async late() { return { payload: new Uint8Array([0x61]), contentType: 'x/y' } },
  job() { queueMicrotask(() => { throw new Error('late') }); return { payload: 'x', contentType: 'x/y' } },
  getter() { return { get payload() { throw new Error('no payload') } } },
  proxied() { return new Proxy({ payload: 'x' }, { get() { return new Uint8Array([0x62]) } }) },
  nested() { return { payload: { payload: 'x' } } },
  buffer(b) { return b.buffer },
  wide() { return new Uint16Array(2) },
  float() { return { payload: new Float64Array(1) } },
  nothing() {},
  thrown(b) { throw b },
  thrownbytes() { throw new Uint8Array(300) },
  looks(b) { return b.length + ' ' + b.byteOffset + ' ' + b.buffer.byteLength },
}`;

// What a service replaces of the language.
const replaced = `{
  call() { Function.prototype.call = Function.prototype.bind = Function.prototype.apply = () => 'evil'; return 'x' },
  async apply() { Reflect.apply = () => 'evil'; throw new Error('y') },
  async promise() { globalThis.Promise = 0; await null; return 'x' },
  then() { Promise.prototype.then = () => 'evil'; return Promise.resolve('x') },
  async constructing() { Promise.prototype.constructor = Object; return 'x' },
  species() { Object.defineProperty(Promise, Symbol.species, { get() { throw new Error('species') } }); return Promise.resolve('x') },
  setters() { for (const key of ['operation', 'contentType', 'code', 'result', 'then', 'payload', '0']) Object.defineProperty(Object.prototype, key, { set() { throw new Error('set ' + key) }, get() { return undefined }, configurable: true }); throw new Error('after setters') },
  async afterwards() { throw Object.assign(new Error('again'), { status: 404 }) },
  arrays() { Object.defineProperty(Array.prototype, 0, { set() { throw 1 }, configurable: true }); Array.prototype.push = 0; Array.prototype[Symbol.iterator] = 0; console.log('a', [1]); throw new Error('z') },
  errors() { Object.defineProperty(InternalError, Symbol.hasInstance, { value: () => true }); throw new Error('out of memory') },
  strings() { String.prototype.trim = String.prototype.replace = String.prototype.slice = () => { throw 1 }; RegExp.prototype.exec = RegExp.prototype[Symbol.replace] = () => { throw 2 }; throw new Error('y') },
  stack() { Error.stackTraceLimit = 0; throw new Error('without places') },
  prepare() { Error.prepareStackTrace = () => { throw 1 }; console.log(new Error('prepared')); return 'x' },
  frozen() { Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(globalThis); return new Promise((done) => done('x')) },
  global() { globalThis.console = null; globalThis.shoalService = null; return 'x' },
  last() { return 'last' },
}`;

const setters = `for (const key of ['operation', 'contentType', 'code', 'result', 'then', 'payload', 'name', '0', '1'])
  Object.defineProperty(Object.prototype, key, { set() { throw new Error('set ' + key) }, get() { return undefined }, configurable: true });`;
const functions = `Function.prototype.call = Function.prototype.bind = Function.prototype.apply = () => 'evil'; Reflect.apply = () => 'evil';
  Promise.prototype.then = () => 'evil'; Promise.resolve = () => 'evil'; String.prototype.split = () => []; Object.hasOwn = () => false;`;
const trivial = `{
  text(text) { return text },
  bytes() { return new Uint8Array(1) },
  async late(text) { return text },
  thrown() { throw new Error('x') },
  told(_, context) { return Object.keys(context).join() + context.operation + context.contentType },
  job() { queueMicrotask(() => { throw new Error('x') }); return 'y' },
  drawn() { return String(Math.random() < 1) },
}`;

const long = 'ä'.repeat(1 << 19);
const longer = '€'.repeat(349_525);
const sizes = {
  functions: '{ same: (text) => text, length: (text) => String(text.length), late: async (text) => text }',
  operations: ['same', 'length', 'late'],
  requests: ['same', 'length', 'late'].flatMap((name) =>
    [long, longer, '\u{1f600}'.repeat(1 << 18), `${'a'.repeat(1_048_574)}ä`, ''].map((text) => [name, text]),
  ),
};

/** Of a state that is kept: what one request leaves for the next. */
const left = `{
  count() { return String(++globalThis.n) },
  shown() { throw { toString() { globalThis.n += 100; return 'x' }, message: 'm' } },
  again() { return String(globalThis.n) },
  forged() { throw 'InternalError: out of memory' },
  after() { return String(globalThis.n) },
  telling() { Promise.reject(new Proxy({}, { getPrototypeOf() { Promise.reject('of the telling'); return null } })); return 'x' },
  told() { return 'x' },
  park() { return new Promise((done) => { globalThis.done = done }) },
  unpark() { done('parked'); return 'unparked' },
  failing() { return new Promise((_, fail) => { globalThis.fail = fail }) },
  failed() { fail(new Error('of another')); return 'x' },
  greedy() { const a = []; for (;;) a.push(new Array(1000).fill(1)) },
  anew() { return String(globalThis.n) },
}`;

const places = "globalThis.shoalPlaces = 'one.js\\nsub/two.ts\\n\\n1,0,1,2;3,1,100,1000;';";

/** No memory is left for an exception where generators take it all. */
const greedy = `{
  generators() { const all = []; for (;;) all.push((function* () {})()) },
  async late() { await null; const all = []; for (;;) all.push((function* () {})()) },
  executor() { return new Promise(() => { const all = []; for (;;) all.push((function* () {})()) }) },
  job() { queueMicrotask(() => { const all = []; for (;;) all.push((function* () {})()) }); return 'x' },
  linked() { let link; for (;;) link = { link } },
  nothing() { throw null },
  caught() { try { const all = []; for (;;) all.push((function* () {})()) } catch (error) { return String(error) } },
  after() { queueMicrotask(() => { throw new Error('no lack of memory') }); return 'x' },
}`;

export const hosted = {
  'kinds of functions': eachOnce(kinds),
  'kinds of functions, with a content type': {
    ...eachOnce(kinds, { payload: 'bytes' }),
    requests: names(kinds).map((name) => [name, 'x', 'a/b']),
  },
  'kinds of functions, kept': eachOnce(kinds, { state: 'kept' }),
  texts: eachOnce(texts),
  'jobs and errors': eachOnce(jobs),
  'jobs and errors, kept, in the files of an author': eachOnce(jobs, { state: 'kept', before: places }),
  bytes: eachOnce(bytes, { payload: 'bytes' }),
  'bytes, kept': eachOnce(bytes, { payload: 'bytes', state: 'kept' }),
  'what a request replaces': eachOnce(replaced),
  'what a request replaces, kept': {
    ...eachOnce(replaced, { state: 'kept' }),
    // After it nothing is logged any more.
    requests: names(replaced).flatMap((name) => (name === 'arrays' ? [] : [[name, 'x']])),
  },
  'setters from the start': eachOnce(trivial, { before: setters }),
  'setters from the start, kept': eachOnce(trivial, { before: setters, state: 'kept' }),
  'functions replaced from the start': eachOnce(trivial, { before: functions }),
  'functions replaced from the start, kept, bytes': eachOnce(trivial, {
    before: functions,
    state: 'kept',
    payload: 'bytes',
  }),
  'a rejection by a getter of an operation': {
    functions: "{ get a() { Promise.reject('by a getter'); return () => 'x' } }",
    operations: ['a'],
    requests: [['a'], ['a']],
  },
  'texts of a mebibyte': sizes,
  'all memory': eachOnce(greedy),
  'all memory, kept': eachOnce(greedy, { state: 'kept' }),
  'what a state keeps': eachOnce(left, { state: 'kept', before: 'globalThis.n = 0;' }),
};
