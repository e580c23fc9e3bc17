import { mutationsOf } from './mutation.ts';

/** How a deploy goes on in a fleet. */
export const FLEET_DEPLOYS = [
  ...mutationsOf('fleet/policy/deploy-steps.ts', [
    ['a deploy that is told twice begins once', 'if (running?.id === deploy.id) return NOTHING;', ''],
    ['one deploy runs at a time', 'if (running !== undefined) throw deployRunning(running);', ''],
    ['why a deploy is rolled back stays known', "phase === 'rolling-back' ? why : running.why", 'why'],
    [
      'a deploy that was rolled back leaves the image before',
      'isBack ? running.before : running.image',
      'running.image',
    ],
    [
      'a deploy ends',
      "phase === 'deployed' || phase === 'rolled-back';\n  const text",
      "phase === 'rolled-back';\n  const text",
    ],
    [
      'failures of other images do not count',
      'deploy === undefined || vm.imageDigest !== deploy.state.image',
      'deploy === undefined',
    ],
    ['VMs of the image are not outdated', '.filter((vm) => vm.imageDigest !== image)\n', ''],
    ['a VM that was ready has failed', "if (readyMs !== undefined) return 'failed';", ''],
    [
      'a VM whose CPU never ran may be the fault of the host',
      "bootMs === undefined ? 'unstarted' : 'never-ready'",
      "'never-ready'",
    ],
    [
      'a VM that was booted and not ready is the fault of its image',
      "bootMs === undefined ? 'unstarted' : 'never-ready'",
      "'unstarted'",
    ],
  ]),
  ...mutationsOf('fleet/policy/next-image.ts', [
    [
      'a VM is a canary while canaries are missing',
      'deploy !== undefined && this.missing > 0 ?',
      'deploy !== undefined && this.missing > 99 ?',
    ],
    [
      'only the canary phase has canaries',
      "this.#fleet.deploy?.state.phase !== 'canary' || this.#hasFailed",
      'this.#hasFailed',
    ],
    ['there are as many canaries as were asked for', 'Math.min(deploy.state.canary, ', 'Math.min(99, '],
    ['a fleet without VMs has a canary', 'params.minVmCount - old, 1)', 'params.minVmCount - old)'],
    [
      'VMs of the new image are no old ones',
      '.filter((vm) => vm.imageDigest !== deploy.state.image).length;\n    return',
      '.length;\n    return',
    ],
    [
      'a canary that is started is missing no more',
      'this.#canaries = this.#count + 1;',
      'this.#canaries = this.#count;',
    ],
  ]),
  ...mutationsOf('fleet/state/deploy.ts', [
    ['a VM of which no image is known is not outdated', 'imageDigest !== undefined && ', ''],
    ['the new image is in force while it goes on to the rest', "phase === 'rolling' ? image : before", 'before'],
    [
      'the old image is in force while canaries serve',
      "phase === 'rolling' ? image : before",
      "phase !== 'rolling-back' ? image : before",
    ],
    ['the image of a deploy that has ended is in force', '        this.#image = transition.image;\n', ''],
    ['a deploy that has ended is over', '        this.#deploy = undefined;\n', ''],
    ['failures are counted', '        deploy.failures[transition.what] += 1;\n', ''],
    ['how the last VM failed is known', '        deploy.failedWhy = transition.why;\n', ''],
    [
      'answers are those of the image',
      'imageDigest === deploy.state.image ? deploy.ofNew : deploy.ofOld',
      'deploy.ofNew',
    ],
    ['answers are counted', '    answers.answers += 1;\n', ''],
    ['errors are counted', '    if (isError) answers.errors += 1;\n', ''],
    ['requests of a canary phase are counted', '    deploy.dispatched += 1;\n', ''],
    ['requests to canaries are counted', 'if (imageDigest === deploy.state.image) deploy.toCanaries += 1;', ''],
    ['a canary gets its share', 'if (isTurn) return canary ?? best;', ''],
    ['a canary gets no more than its share', 'best.imageDigest === image ? (other ?? best) : best', 'best'],
    ['a canary that is not free gets nothing', '      if (!isFree(vm, params)) continue;\n', ''],
  ]),
  ...mutationsOf('fleet/policy/rules/deploy.ts', [
    ['one failure of a canary is enough', "state.phase === 'canary' ? 1 : FAILED_MAX", 'FAILED_MAX'],
    ['one failure among many is borne', 'const FAILED_MAX = 2;', 'const FAILED_MAX = 1;'],
    ['two failures are not borne', 'const FAILED_MAX = 2;', 'const FAILED_MAX = 3;'],
    ['two VMs that the host cannot start are borne', 'const UNSTARTED_MAX = 3;', 'const UNSTARTED_MAX = 2;'],
    ['three VMs that the host cannot start are not borne', 'const UNSTARTED_MAX = 3;', 'const UNSTARTED_MAX = 4;'],
    ['four errors say nothing', 'const ERRORS_MIN = 5;', 'const ERRORS_MIN = 4;'],
    ['five errors say something', 'const ERRORS_MIN = 5;', 'const ERRORS_MIN = 6;'],
    ['a share of errors like the old one is borne', 'const RATE_FACTOR = 2;', 'const RATE_FACTOR = 0;'],
    ['a share of errors that is hardly higher is borne', 'const RATE_MARGIN = 0.05;', 'const RATE_MARGIN = 0;'],
    ['a VM that does not become ready is not borne', "failures['never-ready'] > 0", "failures['never-ready'] > 1"],
    ['canaries that have answered enough need not serve longer', ' && ofNew.answers < CANARY_ANSWERS', ''],
    ['canaries serve for as long as was asked for', 'servedMs < state.canaryMs && ', 'servedMs > state.canaryMs && '],
    [
      'a deploy does not end while there are VMs of the old image',
      'for (const vm of fleet.vms) if (isOther(vm, image)) return undefined;',
      '',
    ],
    [
      'a deploy does not end before a VM of it is ready',
      'fleet.params.minVmCount === 0 && starting === 0',
      'starting >= 0',
    ],
    ['spares of the old image go', "if (deploy?.state.phase !== 'canary') stopSpares(plan);", ''],
    ['while VMs are put back bad ones go at once', 'if (isBack && drainBad(plan, old, end)) return;', ''],
    [
      'half of the fleet goes at a time',
      '(plan.ready + plan.starting + leaving) / 2',
      'plan.ready + plan.starting + leaving',
    ],
    [
      'a bad VM that stands for nobody is replaced',
      "if (!isReplaced(fleet, plan, vm)) plan.start('command', { ...figures, instead_of: vm.id });",
      '',
    ],
    ['a bad VM that a good one stands for is not', 'if (!isReplaced(fleet, plan, vm)) plan', 'plan'],
    ['an old VM has one canary', '    if (replacementOf(old.id, plan) !== undefined) continue;\n', ''],
    [
      'a fleet that was scaled to zero tries the image',
      'if (all.length === 0 && plan.starting === 0',
      'if (all.length < 0 && plan.starting === 0',
    ],
  ]),
];
