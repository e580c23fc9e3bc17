import { mutationsOf } from './mutation.ts';

/** R10 in the router: which way a command takes. */
export const RELAYED_COMMANDS = [
  ...mutationsOf('fleet/policy/control.ts', [
    ['a command has 200 ms', 'RELAY_MS = 200;', 'RELAY_MS = 2_000;'],
    ['commands are direct by default', "fleet.control === 'direct' || (", '('],
    ['the first VMs are started directly', " || (command.kind === 'start' && grounds.rule === 'R1')", ''],
    ['stops of R1 are relayed', "(command.kind === 'start' && grounds.rule === 'R1')", "grounds.rule === 'R1'"],
    [
      'a stop goes through the VM that is to stop',
      "kind === 'start' ? freest(fleet, nowMs) : itself",
      "kind !== '' ? freest(fleet, nowMs) : itself",
    ],
    ['a command that nobody can relay is direct', 'effects: [told, ...direct.effects]', 'effects: [told]'],
    [
      'the guest that missed a command is left alone',
      "fleet.vm(through) === undefined ? [] : [{ kind: 'vm-relay-missed', vm: through, nowMs }]",
      '[]',
    ],
    [
      'a guest that is gone has missed nothing',
      'fleet.vm(through) === undefined ? []',
      'fleet.vm(through) === null ? []',
    ],
    [
      'a start that is overdue goes to a VM that boots',
      "kind === 'start' ? vm?.state === 'booting' : vm?.state === 'stopping'",
      "kind === 'start' || vm?.state === 'stopping'",
    ],
    [
      'a stop that is overdue goes to a VM that stops',
      "kind === 'start' ? vm?.state === 'booting' : vm?.state === 'stopping'",
      "kind !== 'start' || vm?.state === 'booting'",
    ],
    [
      'a command that is overdue goes direct',
      ", { kind: 'command', command }],\n  };\n}\n\n/** The ready",
      '],\n  };\n}\n\n/** The ready',
    ],
    ['a VM that does not serve relays nothing', 'isServing(vm) && !vm.congested', '!vm.congested'],
    ['a VM whose link is full relays nothing', ' && !vm.congested', ''],
    ['a VM that missed a command relays nothing for a while', 'mayRelay(vm, ruleMs) && (', '('],
    ['the freest VM relays', 'best === undefined || isFreer(vm, best)', 'best === undefined'],
    ['fewer requests are freer', 'a.inFlight - b.inFlight || a', 'a'],
    ['less load is freer', 'a.cpuPercent - b.cpuPercent || ', ''],
    ['less memory is freer', 'a.ramBytes - b.ramBytes || ', ''],
    ['a VM without a link relays no stop', 'vm === undefined || !vm.linked', 'vm === undefined'],
    [
      'a VM that does not work relays no stop',
      "if (isFaulty === true) return 'the VM is ended because it does not work';",
      '',
    ],
    [
      'a VM that missed a command relays no stop',
      "mayRelay(vm, ruleMs) ? vm : 'the VM did not relay the command before'",
      'vm',
    ],
  ]),
  ...mutationsOf('fleet/router/relays.ts', [
    ['a new router knows nothing of old commands', '    port.begin();\n', ''],
    ['what came before a command is out of date', '    this.withdrawAllOf(relay.command.vm);\n', ''],
    [
      'a command is obeyed within its time',
      'this.#context.clock.monotonic() + RELAY_MS)',
      'this.#context.clock.monotonic())',
    ],
    ['the guest that relays is listened to', "    this.#controller.tell({ kind: 'listen', vm: through });\n", ''],
    ['a command that was not sent goes direct at once', 'isSent ? RELAY_MS : 0', 'RELAY_MS'],
    ['a command that was sent has its time', 'isSent ? RELAY_MS : 0', '0'],
    ['commands that are out of date are withdrawn', '    this.#port.withdrawAllOf(vm);\n', ''],
    ['a command that is overdue is withdrawn', 'return this.#port.withdraw(number);', 'return undefined;'],
  ]),
  ...mutationsOf('fleet/router/effects.ts', [
    ['no relayed command comes after a direct one', '        this.#relays?.withdrawAllOf(effect.command.vm);\n', ''],
    ['no relayed command comes after the end of its VM', '        this.#relays?.withdrawAllOf(effect.vm);\n', ''],
  ]),
  ...mutationsOf('fleet/state/vm-changes.ts', [
    ['a VM that missed a command is asked again after 10 s', 'RELAY_AGAIN_MS = 10_000', 'RELAY_AGAIN_MS = 20_000'],
  ]),
];
