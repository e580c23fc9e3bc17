// What stands between the host of the engine (the guest, or the runner in Node) and a service. README.md has the interface.
//
// It is evaluated before the service, and keeps what it needs of the language to itself: a service may overwrite anything that it can
// reach, and harms itself only. Nothing in here throws, whatever a service returns or throws.
(function (host) {
  'use strict';

  const { apply, deleteProperty, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const { isArray } = Array;
  const { isInteger } = Number;
  const NumberOf = Number;
  const { parseFloat, parseInt } = globalThis;
  const { defineProperty } = Object;
  const hasOwn = Object.hasOwn;
  const TextOf = String;
  const ErrorBase = Error;
  const EngineError = InternalError;
  const Bytes = Uint8Array;
  const MapBase = Map;
  const SetBase = Set;
  const DateBase = Date;
  const PatternBase = RegExp;
  const slice = String.prototype.slice;
  const split = String.prototype.split;
  const replace = String.prototype.replace;
  const join = Array.prototype.join;
  const push = Array.prototype.push;
  const dateToIso = Date.prototype.toISOString;
  const dateToNumber = Date.prototype.getTime;
  const now = Date.now;
  const matches = RegExp.prototype.exec;
  const regExpToString = RegExp.prototype.toString;
  const mapForEach = Map.prototype.forEach;
  const setForEach = Set.prototype.forEach;
  const toJson = JSON.stringify;
  const PromiseBase = Promise;
  const promiseResolve = Promise.resolve;
  const promiseThen = Promise.prototype.then;
  const trim = String.prototype.trim;
  const kindOfTypedArray = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;

  const MESSAGE_MAX = 160;
  const LINE_MAX = 1000;
  const placesInHere = /(?:(?:^|\n)    at apply \(native\))?(?:^|\n)    at [^\n]*\(prelude\.js:[^]*$|\n$/;
  const placesInScript = /\bservice\.js:(\d+):\d+/g;
  const placeholders = /%[sdifjoOc%]/g;
  const controlCharacters = /[\x00-\x1f\x7f]+/g;
  const isContentType = /^(?! )[\x20-\x7e]{1,255}(?<! )$/;
  const SHOWN_DEPTH = 3;
  const SHOWN_ENTRIES = 20;

  // --- Math.random: the engine's own would go on from the same state after each request that sees the service as it was.

  let random0 = 1;
  let random1 = 2;
  let random2 = 3;
  let random3 = 4;

  /** One step of sfc32: 32 bits. */
  function randomWord() {
    const sum = (random0 + random1 + random3) | 0;
    random3 = (random3 + 1) | 0;
    random0 = random1 ^ (random1 >>> 9);
    random1 = (random2 + (random2 << 3)) | 0;
    random2 = (((random2 << 21) | (random2 >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Seeded anew after the start: a service that begins each request anew needs another seed for each. */
  let isSeeded = false;

  function seedAnew() {
    isSeeded = true;
    const seed = host('seed');
    random0 = seed >>> 0;
    random1 = (seed / 4294967296) >>> 0;
    random2 = 0;
    random3 = 1;
    for (let i = 0; i < 12; i++) randomWord();
  }

  const replacement = {
    random() {
      if (!isSeeded) seedAnew();
      return ((randomWord() >>> 5) * 67108864 + (randomWord() >>> 6)) / 9007199254740992;
    },
  };
  defineProperty(Math, 'random', { value: replacement.random, writable: true, enumerable: false, configurable: true });

  // --- Showing values.

  function isBytes(value) {
    return apply(kindOfTypedArray, value, []) === 'Uint8Array';
  }

  function shown(value, depth, above) {
    if (typeof value === 'string') return depth === 0 ? value : toJson(value);
    if (typeof value === 'bigint') return `${TextOf(value)}n`;
    if (value === 0 && 1 / value < 0) return '-0';
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return TextOf(value);
    if (typeof value === 'function') return `[function ${shownName(value)}]`;
    if (value instanceof ErrorBase) return describeError(value, depth, above);
    if (value instanceof DateBase) return shownDate(value);
    if (value instanceof PatternBase) return apply(regExpToString, value, []);
    for (let i = 0; i < above.length; i++) {
      if (above[i] === value) return '[circular]';
    }
    if (depth === SHOWN_DEPTH) return isArray(value) ? '[array]' : '[object]';
    return shownParts(value, depth, [...above, value]);
  }

  function shownDate(value) {
    const time = apply(dateToNumber, value, []);
    return time === time ? apply(dateToIso, value, []) : 'Invalid Date';
  }

  function shownName(value) {
    const name = getOwnPropertyDescriptor(value, 'name');
    return name !== undefined && typeof name.value === 'string' && name.value !== '' ? name.value : '(anonymous)';
  }

  function shownParts(value, depth, above) {
    const parts = [];
    let left = 0;
    const add = (make) => {
      if (parts.length < SHOWN_ENTRIES) apply(push, parts, [make()]);
      else left++;
    };
    let kind = '';
    let open = '{';
    let close = '}';
    if (isArray(value) || apply(kindOfTypedArray, value, []) !== undefined) {
      open = '[';
      close = ']';
      if (!isArray(value)) kind = `${apply(kindOfTypedArray, value, [])}(${value.length}) `;
      const count = value.length < SHOWN_ENTRIES ? value.length : SHOWN_ENTRIES;
      for (let i = 0; i < count; i++) add(() => shown(value[i], depth + 1, above));
      left = value.length - count;
    } else if (value instanceof MapBase) {
      kind = `Map(${value.size}) `;
      apply(mapForEach, value, [
        (item, key) => add(() => `${shown(key, depth + 1, above)} => ${shown(item, depth + 1, above)}`),
      ]);
    } else if (value instanceof SetBase) {
      kind = `Set(${value.size}) `;
      apply(setForEach, value, [(item) => add(() => shown(item, depth + 1, above))]);
    } else {
      const keys = ownKeys(value);
      for (let i = 0; i < keys.length; i++) {
        const property = getOwnPropertyDescriptor(value, keys[i]);
        if (property === undefined || !property.enumerable) continue;
        add(
          () =>
            `${TextOf(keys[i])}: ${hasOwn(property, 'value') ? shown(property.value, depth + 1, above) : '[getter]'}`,
        );
      }
    }
    if (left > 0) apply(push, parts, [`${left} more`]);
    if (parts.length === 0) return `${kind}${open}${close}`;
    const inside = apply(join, parts, [', ']);
    return open === '[' ? `${kind}[${inside}]` : `${kind}{ ${inside} }`;
  }

  /** Where the script's lines stand in the files of its author, as the service file tells it: src/bundle/places.ts. */
  let placesOfScript = '';

  /** A stack with the places of the author's files instead of those of the script. */
  function inFiles(stack) {
    if (placesOfScript === '') return stack;
    const [names, runs] = apply(split, placesOfScript, ['\n\n']);
    const files = apply(split, names, ['\n']);
    const list = apply(split, runs, [';']);
    return apply(replace, stack, [
      placesInScript,
      (whole, line) => {
        for (let i = 0; i < list.length; i++) {
          const run = apply(split, list[i], [',']);
          const after = NumberOf(line) - NumberOf(run[0]);
          if (after >= 0 && after < NumberOf(run[3])) return `${files[run[1]]}:${NumberOf(run[2]) + after}`;
        }
        return whole;
      },
    ]);
  }

  /** With its stack, which the engine keeps without the message; without the places in this file. With its cause. */
  function describeError(error, depth, above) {
    const head = `${TextOf(error.name)}: ${TextOf(error.message)}`;
    const places = typeof error.stack === 'string' ? inFiles(apply(replace, error.stack, [placesInHere, ''])) : '';
    const told = places === '' ? head : `${head}\n${places}`;
    const cause = getOwnPropertyDescriptor(error, 'cause');
    if (cause === undefined || !hasOwn(cause, 'value') || depth === SHOWN_DEPTH) return told;
    return `${told}\ncaused by ${shown(cause.value, depth + 1, [...above, error])}`;
  }

  /** What takes the place of `%d` and its kin, as in Node. */
  function filledIn(what, value) {
    if (what === '%c') return '';
    if (what === '%j') return TextOf(toJson(value));
    if (what === '%o' || what === '%O') return shown(value, 1, []);
    if (what === '%s' || typeof value === 'bigint') return shown(value, 0, []);
    if (typeof value === 'symbol') return 'NaN';
    if (what === '%d') return TextOf(NumberOf(value));
    return TextOf(what === '%i' ? parseInt(value) : parseFloat(value));
  }

  function safely(show) {
    try {
      return show();
    } catch {
      return '[a value that cannot be shown]';
    }
  }

  function log(values) {
    try {
      const parts = [];
      let next = 0;
      if (typeof values[0] === 'string' && values.length > 1) {
        next = 1;
        const fill = (what) => {
          if (what === '%%') return '%';
          return next === values.length ? what : safely(() => filledIn(what, values[next++]));
        };
        apply(push, parts, [apply(replace, values[0], [placeholders, fill])]);
      }
      for (; next < values.length && parts.length < SHOWN_ENTRIES; next++) {
        const text = safely(() => shown(values[next], 0, []));
        apply(push, parts, [apply(slice, text, [0, LINE_MAX * 4])]);
      }
      host('log', apply(join, parts, [' ']));
    } catch {
      // No memory for it: the request itself tells that.
    }
  }

  const counts = { __proto__: null };
  const times = { __proto__: null };

  const console = {
    log(...values) {
      log(values);
    },
    info(...values) {
      log(values);
    },
    debug(...values) {
      log(values);
    },
    warn(...values) {
      log(values);
    },
    error(...values) {
      log(values);
    },
    trace(...values) {
      log(values);
    },
    assert(condition, ...values) {
      if (!condition) log(['assertion failed', ...values]);
    },
    dir(value) {
      log([value]);
    },
    dirxml(...values) {
      log(values);
    },
    table(value) {
      log([value]);
    },
    group(...values) {
      if (values.length > 0) log(values);
    },
    groupCollapsed(...values) {
      if (values.length > 0) log(values);
    },
    groupEnd() {},
    clear() {},
    count(label = 'default') {
      counts[label] = (counts[label] ?? 0) + 1;
      log([`${TextOf(label)}: ${counts[label]}`]);
    },
    countReset(label = 'default') {
      delete counts[label];
    },
    time(label = 'default') {
      times[label] = now();
    },
    timeLog(label = 'default', ...values) {
      if (hasOwn(times, label)) log([`${TextOf(label)}: ${now() - times[label]}ms`, ...values]);
    },
    timeEnd(label = 'default') {
      console.timeLog(label);
      delete times[label];
    },
  };
  defineProperty(globalThis, 'console', { value: console, writable: true, enumerable: false, configurable: true });

  // --- Errors.

  /** Sets the outcome from a value that was thrown; it may be anything, with getters that throw. */
  function fail(outcome, error) {
    if (outcome.code >= 400) return; // the first error counts
    outcome.code = 400;
    outcome.result = 'the operation threw a value that cannot be shown';
    try {
      if (error instanceof EngineError && error.message === 'out of memory') {
        outcome.code = 413;
        outcome.result = 'the operation takes more memory than this service has';
        return;
      }
      if (error === null || (typeof error !== 'object' && typeof error !== 'function')) {
        outcome.result = TextOf(error);
      } else {
        let told = false;
        const status = error.status;
        if (isInteger(status) && status >= 400 && status <= 499) {
          outcome.code = status;
          told = true;
        }
        const message = error.message;
        if (typeof message === 'string' && message !== '') outcome.result = message;
        else if (error instanceof ErrorBase) outcome.result = TextOf(error.name);
        else outcome.result = apply(slice, toJson(error) ?? 'an object', [0, MESSAGE_MAX]);
        // What a service throws with a status is an answer; anything else may be a fault, and its place is worth a line in the log.
        if (!told && error instanceof ErrorBase) log([`${outcome.operation}:`, error]);
      }
    } catch {
      // As it was set above.
    }
  }

  // --- Operations.

  const operations = { __proto__: null };
  let owner;
  let takesBytes = false;

  /**
   * What comes of a request, if it is not a text that is known at once. Each has its own: a promise of an earlier one may settle meanwhile.
   * The code is 'pending' until it is known, then 0 (a text), 1 (bytes) or the code of an error.
   */
  function outcomeOf(operation) {
    return { operation, code: 'pending', result: '', contentType: '' };
  }

  function takePlaces() {
    const told = getOwnPropertyDescriptor(globalThis, 'shoalPlaces');
    if (told === undefined || typeof told.value !== 'string') return;
    placesOfScript = told.value;
    deleteProperty(globalThis, 'shoalPlaces');
  }

  /** The service file names the operations and how payloads go. '' or why the service cannot be used. */
  function load(names, payload) {
    takesBytes = payload === 'bytes';
    takePlaces();
    let exported;
    try {
      exported = globalThis.shoalService.default;
    } catch {
      exported = undefined;
    }
    if (exported === null || (typeof exported !== 'object' && typeof exported !== 'function'))
      return 'no-operations';
    owner = exported;
    const list = apply(split, names, [',']);
    for (let i = 0; i < list.length; i++) {
      try {
        const operation = hasOwn(exported, list[i]) ? exported[list[i]] : undefined;
        if (typeof operation !== 'function') return 'no-such-operation';
        operations[list[i]] = operation;
      } catch {
        return 'no-such-operation';
      }
    }
    isSeeded = false;
    return '';
  }

  /** A text or bytes; from a service of bytes also one of them with its content type. */
  function settle(outcome, value) {
    if (outcome.code !== 'pending') return;
    const { operation } = outcome;
    if (typeof value === 'string') {
      outcome.result = value;
      outcome.code = 0;
    } else if (typeof value === 'object' && value !== null && isBytes(value)) {
      if (!takesBytes)
        throw new TypeError(`the operation "${operation}" returned bytes, and the service has no payload 'bytes'`);
      // Its buffer may be gone, or of another size, before the outcome is read.
      outcome.result = new Bytes(value);
      outcome.code = 1;
    } else if (takesBytes && typeof value === 'object' && value !== null && hasOwn(value, 'payload')) {
      const { payload, contentType } = value;
      if (typeof payload !== 'string' && !isBytes(payload)) throw wrongReply(operation, payload, ' as its payload');
      if (contentType !== undefined) outcome.contentType = checkedType(operation, contentType);
      settle(outcome, payload);
    } else {
      throw wrongReply(operation, value, '');
    }
  }

  function checkedType(operation, contentType) {
    if (typeof contentType === 'string' && apply(matches, isContentType, [contentType]) !== null) return contentType;
    throw new TypeError(
      `the operation "${operation}" named ${shown(contentType, 1, [])} as its content type, not 1 to 255 printable characters of ASCII`,
    );
  }

  function kindOf(value) {
    if (value === undefined || value === null) return `${value}`;
    if (typeof value === 'object') return isArray(value) ? 'an array' : 'an object';
    return `a ${typeof value}`;
  }

  function wrongReply(operation, value, where) {
    const kind = kindOf(value);
    let wanted = takesBytes ? 'a string or a Uint8Array' : 'a string';
    if (takesBytes && where === '') wanted = 'a string, a Uint8Array or { payload, contentType }';
    return new TypeError(`the operation "${operation}" returned ${kind}${where}, not ${wanted}`);
  }

  /** What it throws is the outcome. */
  function attempt(outcome, work) {
    try {
      work();
    } catch (error) {
      fail(outcome, error);
    }
  }

  /** What an operation gets beside its input. */
  function contextOf(operation, contentType) {
    return { operation, contentType };
  }

  /** @param value what the operation has returned @returns the outcome, which is complete once no job is left */
  function follow(operation, value) {
    const outcome = outcomeOf(operation);
    attempt(outcome, () => {
      const promise = apply(promiseResolve, PromiseBase, [value]);
      apply(promiseThen, promise, [
        (settled) => attempt(outcome, () => settle(outcome, settled)),
        (error) => fail(outcome, error),
      ]);
    });
    return outcome;
  }

  /** @param error what the operation threw, or what came out of a job, which nothing in the script can catch any more @returns the outcome */
  function failed(outcome, operation, error) {
    const known = outcome ?? outcomeOf(operation);
    fail(known, error);
    return known;
  }

  /** A promise was rejected, and nobody has asked for its outcome: in the log, as it is no part of the reply. */
  function rejected(operation, reason) {
    log([`${operation ?? 'service'}: a promise was rejected that nobody waits for:`, reason]);
  }

  /** The code of the outcome, which has the rest. To be called once no job is left. */
  function finish(outcome) {
    if (outcome.code === 'pending') {
      outcome.code = 400;
      outcome.result = `the promise of the operation "${outcome.operation}" never settles: nothing is left to run`;
    }
    if (outcome.code >= 400) outcome.result = messageOf(outcome.result);
    return outcome.code;
  }

  /** In one line, with something in it. */
  function messageOf(text) {
    try {
      const line = apply(replace, text, [controlCharacters, ' ']);
      if (apply(trim, line, []) === '') return 'the operation threw an empty text';
      return apply(slice, line, [0, MESSAGE_MAX]);
    } catch {
      return 'the operation failed';
    }
  }

  /** For the log: what a service threw while it was evaluated. */
  function describe(error) {
    try {
      return apply(slice, shown(error, 0, []), [0, LINE_MAX]);
    } catch {
      return 'a value that cannot be shown';
    }
  }

  // The engine makes a function of the language when a script first asks for it. The common ones are made here, once, and not in each request.
  const common = [Array, Array.prototype, JSON, Map.prototype, Math, Number, Number.prototype, Object, Object.prototype, PromiseBase];
  apply(push, common, [PromiseBase.prototype, PatternBase.prototype, Set.prototype, String, String.prototype]);
  for (let i = 0; i < common.length; i++) {
    const keys = ownKeys(common[i]);
    for (let k = 0; k < keys.length; k++) getOwnPropertyDescriptor(common[i], keys[k]);
  }

  return {
    load,
    owner: () => owner,
    operation: (name) => operations[name],
    contextOf,
    follow,
    failed,
    rejected,
    finish,
    result: (outcome) => outcome.result,
    contentType: (outcome) => outcome.contentType,
    describe,
  };
});
