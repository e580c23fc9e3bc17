import { mutationsOf } from './mutation.ts';

/** The actor and what it has beside it. */
export const ROUTER = [
  ...mutationsOf('fleet/router/stepper.ts', [
    ['the store is asked for an id once', 'if (this.#fleet.host.noIdBeforeMs > nowMs) return undefined;', ''],
    ['a step is asked for again after it was made', 'this.#isAsked = false;', ''],
  ]),
  ...mutationsOf('fleet/router/router.ts', [
    ['a pause is left out before a message is judged', "if (forMs > 0) fleet.apply({ kind: 'paused', forMs });", ''],
    ['whoever asked is told that nothing is in hand', 'if (fleet.isClosing) drain.look(requests.open);', ''],
    ['a rest is over when something comes', 'if (ticker.isResting && !isAtRest(fleet, nowMs)) ticker.wake(nowMs);', ''],
    ['replies are forgotten after dedup_ms', '        fleet.requests.cache.expire(nowMs);\n', ''],
    ['the limit of a drain holds', "this.#context.after(message.limitMs, { kind: 'drain-limit' });", ''],
    ['nothing is decided once the drain is done', 'if (drain.isDone) return;', ''],
    [
      'nobody is left without an answer when the router ends',
      "context.onStop(() => body.refuseAll(), 'before-children');",
      '',
    ],
  ]),
  ...mutationsOf('fleet/router/drain.ts', [
    ['whoever asked is told when nothing is open', 'open > 0 || ', ''],
    ['whoever asked is told once', 'this.#waiting.splice(0)', 'this.#waiting'],
  ]),
  ...mutationsOf('fleet/router/links.ts', [
    [
      'a link that had no room is tried again',
      "    this.#context.after(ROOM_AGAIN_MS, { kind: 'link-room', vm });\n",
      '',
    ],
    ['a VM has one link', 'else if (!this.#links.has(target.vm)) this.#spawn(target);', 'else this.#spawn(target);'],
    [
      'a link that is opened ahead counts once it is opened',
      'const isAhead = this.#ahead.has(vm);',
      'const isAhead = false;',
    ],
    [
      'a link that was lost before it is opened is not ready',
      'this.#ahead.set(vm, isReady);',
      'this.#ahead.set(vm, true);',
    ],
    ['a link that was ready before it is opened is ready', 'this.#ahead.get(vm) === true;', 'false;'],
    [
      'a link that was ready fails for the first time',
      '  connected(vm: VmId): boolean {\n    this.#failures.delete(vm);',
      '  connected(vm: VmId): boolean {',
    ],
    ['a link that fails again waits longer', 'this.#failures.set(vm, failures + 1);', ''],
    ['a link that was opened again is watched', 'if (link !== undefined) this.#context.watch(link, exited);', ''],
    ['a link that is closed is not opened again', '    this.#links.delete(vm);\n', ''],
  ]),
  ...mutationsOf('fleet/router/link-reactions.ts', [
    [
      'a link that cannot be opened is tried again',
      "case 'link-reopen-failed':\n        this.#links.reopenLater(vm);",
      "case 'link-reopen-failed':",
    ],
    [
      'a link whose actor ends is opened again',
      '        const { reason } = message.exit;\n        this.#links.reopenLater(vm);',
      '        const { reason } = message.exit;',
    ],
  ]),
  ...mutationsOf('fleet/router/store-writes.ts', [
    [
      'the writes of a VM are made one after the other',
      'if (entry.running || first === undefined) return;',
      'if (first === undefined) return;',
    ],
    ['a write that fails again waits longer', '    entry.failures += 1;\n', ''],
    ['a write that succeeds makes the next failure the first', '    entry.failures = 0;\n', ''],
    [
      'the next write follows',
      'else this.#next(vm, entry);\n  }\n\n  /** Runs',
      'else this.#entries.set(vm, entry);\n  }\n\n  /** Runs',
    ],
    ['a port that throws has failed', 'return run();', 'return Promise.resolve();'],
  ]),
  ...mutationsOf('fleet/router/ticker.ts', [
    ['a late tick is a pause', 'if (lateMs <= TICK_MS) return 0;', 'if (lateMs >= 0) return 0;'],
    ['a pause is told once', 'const newMs = lateMs - this.#toldMs;', 'const newMs = lateMs;'],
    [
      'a rest is short enough for the reports',
      'Math.min(REST_MS_MAX, Math.max(TICK_MS, statusIntervalMs))',
      'REST_MS_MAX * 5',
    ],
    ['a fleet at rest wakes its process rarely', 'atRest ? msToNext(nowMs, restMs) : TICK_MS', 'TICK_MS'],
    ['a fleet that is busy is looked at often', 'atRest ? msToNext(nowMs, restMs) : TICK_MS', 'restMs'],
    [
      'a rest that is over ends at once',
      '    this.#cancel();\n    this.#arm(nowMs, TICK_MS);\n  }\n\n  #arm',
      '  }\n\n  #arm',
    ],
  ]),
  ...mutationsOf('fleet/router/request-path.ts', [
    [
      'no request is taken while Shoal ends',
      'if (isClosing) return void request.replyTo.tell(tooLate(this.#fleet));',
      '',
    ],
    [
      'a link without room is no link that is down',
      "{ kind: 'vm-congested', vm, congested: true }",
      "{ kind: 'vm-linked', vm, linked: false, nowMs }",
    ],
  ]),
  ...mutationsOf('fleet/router/effects.ts', [
    [
      'a transition that does not fit is a failure',
      'if (!this.#fleet.apply(transition))',
      'if (this.#fleet.apply(transition) === undefined)',
    ],
    [
      'the soft fields of a row are brought up to date',
      'if (update !== undefined) this.#writes.touch(id, update);',
      '',
    ],
    ['a row is written', 'if (row !== undefined) this.#writes.insert(row);', ''],
  ]),
];
