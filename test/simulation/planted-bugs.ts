/** A small wrong change of the production code, by the text that it replaces. It must stand in the file exactly once. */
export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** One of these is in every run of the seeds and must be found there. */
export const CANARY = 'cpu-runs-before-its-reservation-is-durable';

/** What simulations must find. None is in any build: `plant.ts` puts one into the sources as they are loaded. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'cpu-runs-before-its-reservation-is-durable',
    file: 'src/fleet/policy/on-host-event.ts',
    from: 'return vm.reserved && !vm.spare ? combine(prepared',
    to: 'return !vm.spare ? combine(prepared',
  },
  {
    name: 'address-of-a-gone-vm-is-kept',
    file: 'src/fleet/policy/on-host-event.ts',
    from: "      ...requests.effects,\n      { kind: 'write-release', vm: id },",
    to: '      ...requests.effects,',
  },
  {
    name: 'reservation-without-a-vm-is-never-released',
    file: 'src/fleet/policy/on-host-event.ts',
    from: '...absent.map((vm) => unseenGone(fleet, vm)),',
    to: '',
  },
  {
    name: 'adopted-vm-gets-no-link',
    file: 'src/fleet/policy/on-host-event.ts',
    from: "const canLink = vm.state === 'booting' || ",
    to: "const canLink = (vm.state === 'booting' && !vm.isAdopted) || ",
  },
  {
    name: 'failed-release-is-given-up',
    file: 'src/fleet/policy/on-write.ts',
    from: "if (write === 'release') return undefined;",
    to: "if (write === 'release') return NOTHING;",
  },
  {
    name: 'spare-is-started-when-its-reservation-is-durable',
    file: 'src/fleet/policy/on-write.ts',
    from: "vm.state === 'prepared' && !vm.spare &&",
    to: "vm.state === 'prepared' &&",
  },
  {
    name: 'release-is-not-noted',
    file: 'src/fleet/policy/on-write.ts',
    from: "transitions: [{ kind: 'released', vm }],",
    to: 'transitions: [],',
  },
  {
    name: 'request-is-tried-again-without-end',
    file: 'src/fleet/policy/retries.ts',
    from: 'const TRIES_MAX = 2;',
    to: 'const TRIES_MAX = 9;',
  },
  {
    name: 'request-is-done-twice-by-an-image-that-is-not-idempotent',
    file: 'src/fleet/policy/retries.ts',
    from: 'return isIdempotent && request.retry',
    to: 'return request.retry',
  },
  {
    name: 'request-that-was-sent-counts-as-unsent',
    file: 'src/fleet/policy/on-link-event.ts',
    from: '({ frame }) => !unsent.has(frame));',
    to: '() => false);',
  },
  {
    name: 'link-that-is-down-counts-as-up',
    file: 'src/fleet/policy/on-link-event.ts',
    from: "transitions: [{ kind: 'vm-linked', vm: id, linked: false, nowMs }, ...back.transitions],",
    to: 'transitions: [...back.transitions],',
  },
  {
    name: 'repeat-joins-another-text',
    file: 'src/fleet/state/reply-cache.ts',
    from: 'first.op === op && isEqual(first.payload, payload)',
    to: 'first.op === op',
  },
  {
    name: 'stored-reply-answers-another-text',
    file: 'src/fleet/state/reply-cache.ts',
    from: 'ended.op === op && ended.payloadBytes === payload.length && ended.fingerprint === fingerprintOf(payload);\n    return isSame ? { kind: ',
    to: 'ended.op === op;\n    return isSame ? { kind: ',
  },
  {
    name: 'kept-reply-of-an-earlier-router-answers-another-text',
    file: 'src/fleet/policy/orphans.ts',
    from: "if (whose === 'unknown' && Buffer",
    to: "if (whose !== 'unknown' && Buffer",
  },
  {
    name: 'deadlines-are-not-kept',
    file: 'src/fleet/state/request-table.ts',
    from: 'return this.#deadlines.due(nowMs);',
    to: 'return [];',
  },
  {
    name: 'request-stays-on-its-vm',
    file: 'src/fleet/state/request-table.ts',
    from: 'place.list?.remove(place);',
    to: '',
  },
  {
    name: 'failed-write-is-never-repeated',
    file: 'src/fleet/router/store-writes.ts',
    from: "this.#context.after(delayMs, { kind: 'write-again', vm });",
    to: 'void delayMs;',
  },
  {
    name: 'write-behind-another-never-begins',
    file: 'src/fleet/router/store-writes.ts',
    from: 'else this.#next(vm, entry);',
    to: '',
  },
  {
    name: 'repeated-write-never-begins',
    file: 'src/fleet/router/store-writes.ts',
    from: '    entry.running = false;\n    this.#next(vm, entry);',
    to: '    this.#next(vm, entry);',
  },
  {
    name: 'minimum-is-one-too-few',
    file: 'src/fleet/policy/rules/first-vm.ts',
    from: 'running < params.minVmCount;',
    to: 'running < params.minVmCount - 1;',
  },
  {
    name: 'surplus-of-one-stays',
    file: 'src/fleet/policy/default-sizing.ts',
    from: 'if (most <= 0) return [];',
    to: 'if (most <= 1) return [];',
  },
  {
    name: 'hung-guest-is-never-ended',
    file: 'src/fleet/policy/rules/silence.ts',
    from: 'if (isWatched && !plan.isLeaving(vm.id)) endUnheard(plan, vm);',
    to: 'void isWatched;',
  },
  {
    name: 'guest-that-answers-is-ended-as-silent',
    file: 'src/fleet/policy/rules/silence.ts',
    from: 'if (vm.linked && vm.askedMs === undefined) {',
    to: 'if (vm.linked && vm.askedMs === undefined && silent < 0) {',
  },
  {
    name: 'pause-of-ours-counts-as-silence',
    file: 'src/fleet/router/router.ts',
    from: "if (forMs > 0) fleet.apply({ kind: 'paused', forMs });",
    to: 'void forMs;',
  },
  {
    name: 'drained-vm-never-goes',
    file: 'src/fleet/policy/finished.ts',
    from: 'return vm.inFlight === 0 || nowMs',
    to: 'return vm.inFlight > 0 && nowMs',
  },
  {
    name: 'drained-vm-goes-with-work-in-hand',
    file: 'src/fleet/policy/finished.ts',
    from: 'return vm.inFlight === 0 || nowMs',
    to: 'return vm.inFlight >= 0 || nowMs',
  },
  {
    name: 'memory-reserve-is-not-kept',
    file: 'src/fleet/policy/blockage.ts',
    from: 'unmeasured * vmBytes - params.hostMemoryReserveBytes;',
    to: 'unmeasured * vmBytes;',
  },
  {
    name: 'exit-of-a-vm-is-not-told',
    file: 'src/hypervisor/vm/lifecycle.ts',
    from: 'return exited(state, input.exit, input.why, terms);',
    to: 'return stay(state);',
  },
  {
    name: 'what-is-left-of-a-gone-vm-is-not-cleared',
    file: 'src/hypervisor/controller/reconciliation.ts',
    from: "const others = all.filter(({ kind }) => kind !== 'running');",
    to: "const others = all.filter(({ kind }) => kind === 'orphan');",
  },
  {
    name: 'running-vm-is-not-adopted',
    file: 'src/hypervisor/controller/reconciliation.ts',
    from: 'for (const manifest of running) adopt(manifest);',
    to: 'for (const manifest of running.slice(1)) adopt(manifest);',
  },
  {
    name: 'reply-of-an-earlier-connection-is-taken-for-another',
    file: 'src/hypervisor/link/link.ts',
    from: 'this.#tag = (this.#context.system.random.fraction() * 0x1_0000_0000) >>> 0;',
    to: 'this.#tag = 0;',
  },
  {
    name: 'frames-that-were-sent-are-told-as-unsent',
    file: 'src/hypervisor/link/link.ts',
    from: 'const unsent = this.#waiting?.map(({ id }) => id) ?? [];',
    to: 'const unsent = [...sent.splice(0), ...(this.#waiting?.map(({ id }) => id) ?? [])];',
  },
  {
    name: 'release-leaves-the-address-reserved',
    file: 'src/store/changes.ts',
    from: 'else if (address !== undefined) state.putAddress(freed(address));',
    to: '',
  },
  {
    name: 'tables-forget-the-last-write-before-a-crash',
    file: 'src/store/table-store.ts',
    from: 'await this.#backing.save(draft.toDocument());',
    to: 'void this.#backing.save(draft.toDocument()).catch(() => undefined);',
  },
  {
    name: 'row-of-a-gone-vm-stays',
    file: 'src/store/changes.ts',
    from: 'const hadRow = state.deleteVm(vm);',
    to: 'const hadRow = state.vm(vm) !== undefined;',
  },
  {
    name: 'client-begins-its-deadline-anew-with-each-connection',
    file: 'src/client/resending.ts',
    from: 'deadlineMs = msUntil(endMs, clock)) {',
    to: 'deadlineMs = options.deadlineMs) {',
  },
  {
    name: 'answer-to-a-ping-is-not-told',
    file: 'src/hypervisor/link/framed-connection.ts',
    from: '} else if (id === ASKED_ID) {',
    to: '} else if (id !== KEEP_ALIVE_ID && id !== ASKED_ID) {',
  },
  {
    name: 'checkpoint-of-a-lost-actor-is-forgotten',
    file: 'src/hypervisor/vm/checkpoint.ts',
    from: 'this.#saveTo?.tell(this.#latest);',
    to: '',
  },
  {
    name: 'crashed-actor-of-a-vm-makes-its-machine-again',
    file: 'src/hypervisor/vm/vm-actor.ts',
    from: "const isNew = origin.kind === 'new' && !checkpoints.latest.tried;",
    to: "const isNew = origin.kind === 'new';",
  },
  {
    name: 'machine-that-a-failed-prepare-left-is-not-ended',
    file: 'src/hypervisor/vm/remains.ts',
    from: "return found === undefined ? { kind: 'gone' } : await clearFound(hypervisor, found);",
    to: "return found === undefined || found.kind !== 'gone' ? { kind: 'gone' } : await clearFound(hypervisor, found);",
  },
  {
    name: 'host-that-is-back-is-not-known',
    file: 'src/remote/hosts.ts',
    from: 'if (known?.isAlive === true) {',
    to: 'if (known !== undefined) {',
  },
  {
    name: 'host-that-leaves-lets-its-vms-run',
    file: 'src/app/core.ts',
    from: "let onStop: OnStop = 'stop-vms';",
    to: "let onStop: OnStop = 'keep-vms';",
  },
  {
    name: 'request-that-was-handed-on-is-handed-on-again',
    file: 'src/fleet/policy/hand-on.ts',
    from: '(request.request.isHanded !== true && (request',
    to: '((request',
  },
  {
    name: 'host-that-took-a-request-in-answers-beside-the-one-that-worked',
    file: 'src/fleet/router/handed-in.ts',
    from: 'how : { ...how, outcome: sent(outcome) };',
    to: 'how : how;',
  },
  {
    name: 'host-that-works-answers-when-its-right-is-over',
    file: 'src/fleet/router/handed-in.ts',
    from: 'this.#clock.monotonic() >= home.leaseUntilMs || ',
    to: '',
  },
  {
    name: 'reply-that-has-not-left-is-not-taken-back',
    file: 'src/fleet/router/unsent-replies.ts',
    from: 'return nowMs - session.overMs >= TAKE_BACK_MS;',
    to: 'return false;',
  },
  {
    name: 'router-takes-ends-that-were-meant-for-the-one-before-it',
    file: 'src/fleet/router/neighbourhood.ts',
    from: 'if (message.to !== this.#from.session) return;',
    to: '',
  },
  {
    name: 'tries-are-counted-anew-at-another-host',
    file: 'src/fleet/router/handed-in.ts',
    from: '}, tries, nowMs)',
    to: '}, 0 * tries, nowMs)',
  },
  {
    name: 'deploy-begins-before-it-is-durable',
    file: 'src/app/deploy/deploys.ts',
    from: '      await this.#save({ ...this.#state, deploy: { ...deploy, phase } });\n',
    to: '      this.#state = { ...this.#state, deploy: { ...deploy, phase } };\n',
  },
  {
    name: 'two-deploys-begin-at-once',
    file: 'src/app/deploy/deploys.ts',
    from: 'const running = this.#beginning ?? deploy;',
    to: 'const running = deploy;',
  },
  {
    name: 'deploy-is-forgotten-by-the-next-router',
    file: 'src/app/core.ts',
    from: 'deploy: of.deploys?.running,',
    to: 'deploy: undefined,',
  },
  {
    name: 'end-of-a-deploy-is-not-kept',
    file: 'src/app/deploy/deploys.ts',
    from: '    this.#isDirty = true;\n    void this.#write();\n',
    to: '    void this.#write();\n',
  },
  {
    name: 'deploy-ends-while-old-vms-are-left',
    file: 'src/fleet/policy/rules/deploy.ts',
    from: 'for (const vm of fleet.vms) if (isOther(vm, image)) return undefined;',
    to: '',
  },
  {
    name: 'image-that-never-boots-is-not-rolled-back',
    file: 'src/fleet/policy/rules/deploy.ts',
    from: "if (failures['never-ready'] > 0)",
    to: "if (failures['never-ready'] > 9_999)",
  },
  {
    name: 'rolled-back-image-is-started-all-the-same',
    file: 'src/fleet/policy/deploy-steps.ts',
    from: 'image: isBack ? running.before : running.image',
    to: 'image: running.image',
  },
  {
    name: 'rules-start-the-old-image-while-it-is-replaced',
    file: 'src/fleet/state/deploy.ts',
    from: "return phase === 'rolling' ? image : before;",
    to: 'return before;',
  },
];
