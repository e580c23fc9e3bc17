/** The points of the port `Hypervisor` find an adapter that breaks one of them. */
import { describe, expect, it } from 'vitest';
import { HYPERVISOR_POINTS } from '../hypervisor/kit/mod.ts';
import type { GuestConnection, Hypervisor, Machine } from '../hypervisor/mod.ts';
import { IMAGE_PATH } from './images.ts';
import type { MachineRoom } from './machine-room.ts';
import { onSimulatedHost } from './testing/hypervisor-place.ts';

const SEED = 1;

interface Broken {
  readonly what: string;
  /** Of the points that find it, one, by how its name begins. */
  readonly foundBy: string;
  readonly change: (hypervisor: Hypervisor, room: MachineRoom) => Hypervisor;
}

/** With machines that differ in something. */
function machines(change: (machine: Machine, room: MachineRoom) => Partial<Machine>): Broken['change'] {
  return (hypervisor, room) => {
    const changed = (machine: Machine): Machine => over(machine, change(machine, room));
    return over(hypervisor, {
      prepare: async (spec) => changed(await hypervisor.prepare(spec)),
      adopt: async (manifest) => changed(await hypervisor.adopt(manifest)),
    });
  };
}

function connections(change: (connection: GuestConnection) => Partial<GuestConnection>): Broken['change'] {
  return (hypervisor) =>
    over(hypervisor, {
      connect: (target) => {
        const connection = hypervisor.connect(target);
        return over(connection, change(connection));
      },
    });
}

/** The object with some of its methods and values replaced; the others, also those that are computed, are its own. */
function over<T extends object>(object: T, changes: Partial<T>): T {
  return new Proxy(object, {
    get: (target, key) => Reflect.get(key in changes ? changes : target, key),
  });
}

const listenersOf = new WeakMap<MachineRoom, Set<(bytes: Uint8Array) => void>>();

function toAllListeners(machine: Machine, room: MachineRoom): Partial<Machine> {
  const all = listenersOf.get(room) ?? new Set();
  listenersOf.set(room, all);
  return {
    onConsole: (listener) => {
      all.add(listener);
      machine.onConsole((bytes) => {
        for (const one of all) one(bytes);
      });
    },
  };
}

function toldAtSignal(machine: Machine): Partial<Machine> {
  let tell: Parameters<Machine['onExit']>[0] = () => undefined;
  return {
    onExit: (listener) => {
      tell = listener;
    },
    signal: (signal) => {
      machine.signal(signal);
      tell({ exitCode: null, signal, stderr: '' });
    },
  };
}

const BROKEN: readonly Broken[] = [
  {
    what: 'lets the CPU run when it prepares',
    foundBy: 'prepare: the process runs, its CPU does not',
    change: (hypervisor) =>
      over(hypervisor, {
        prepare: async (spec) => {
          const machine = await hypervisor.prepare(spec);
          await machine.start();
          return machine;
        },
      }),
  },
  {
    what: 'notes no process in the manifest',
    foundBy: 'prepare: its manifest is kept on the host',
    change: machines((machine) => {
      const { process: _, ...manifest } = machine.manifest;
      return { manifest };
    }),
  },
  {
    what: 'takes what is being prepared for the remains of a VM',
    foundBy: 'prepare: whoever looks for the VM meanwhile',
    change: (hypervisor) => {
      const preparing = new Set<number>();
      return over(hypervisor, {
        prepare: async (spec) => {
          preparing.add(spec.vm);
          return hypervisor.prepare(spec).finally(() => preparing.delete(spec.vm));
        },
        find: async (vm) => (preparing.has(vm) ? { kind: 'gone', vm } : hypervisor.find(vm)),
      });
    },
  },
  {
    what: 'clears an id that is in use before it prepares',
    foundBy: 'prepare: an id that is in use',
    change: (hypervisor) =>
      over(hypervisor, {
        prepare: async (spec) => {
          const found = await hypervisor.find(spec.vm);
          if (found?.kind === 'running' && found.manifest.process !== undefined) {
            await hypervisor.end(found.manifest.process);
            await hypervisor.discard(spec.vm);
          }
          return hypervisor.prepare(spec);
        },
      }),
  },
  {
    what: 'gives another error for an address that is in use',
    foundBy: 'prepare: an address that is in use',
    change: (hypervisor) =>
      over(hypervisor, {
        prepare: (spec) =>
          hypervisor.prepare(spec).catch(() => {
            throw new Error('it did not work');
          }),
      }),
  },
  {
    what: 'takes the remains of a VM for nothing',
    foundBy: 'prepare: an id whose remains are there',
    change: (hypervisor) =>
      over(hypervisor, {
        prepare: async (spec) => {
          if ((await hypervisor.find(spec.vm))?.kind === 'gone') await hypervisor.discard(spec.vm);
          return hypervisor.prepare(spec);
        },
      }),
  },
  {
    what: 'has an image in the place of one that is missing',
    foundBy: 'prepare: an image that is not there',
    change: (hypervisor) => over(hypervisor, { prepare: (spec) => hypervisor.prepare({ ...spec, image: IMAGE_PATH }) }),
  },
  {
    what: 'boots whatever image is there',
    foundBy: 'prepare: an image with another digest',
    change: (hypervisor) =>
      over(hypervisor, { prepare: (spec) => hypervisor.prepare({ ...spec, imageDigest: '0'.repeat(64) }) }),
  },
  {
    what: 'uses an accelerator that the profile rules out',
    foundBy: 'prepare: an accelerator that the profile rules out',
    change: (hypervisor) => over(hypervisor, { prepare: ({ profile: _, ...spec }) => hypervisor.prepare(spec) }),
  },
  {
    what: 'does not start',
    foundBy: 'start: the CPU runs',
    change: machines(() => ({ start: async () => undefined })),
  },
  {
    what: 'goes on when it is to stand still',
    foundBy: 'pause: the CPU',
    change: machines(() => ({ pause: async () => undefined })),
  },
  {
    what: 'loses the first bytes of the console',
    foundBy: 'start: the CPU runs',
    change: machines((machine) => ({
      onConsole: (listener) => {
        let isFirst = true;
        machine.onConsole((bytes) => {
          listener(isFirst ? bytes.subarray(8) : bytes);
          isFirst = false;
        });
      },
    })),
  },
  {
    what: 'says that a paused CPU runs',
    foundBy: 'release, adopt: a machine whose CPU has not run',
    change: machines(() => ({ isRunning: async () => true })),
  },
  {
    what: 'lists a VM twice',
    foundBy: 'list: each VM, once',
    change: (hypervisor) =>
      over(hypervisor, {
        list: async () => {
          const found = await hypervisor.list();
          return [...found, ...found];
        },
      }),
  },
  {
    what: 'cannot say how much memory is free, and does not say so',
    foundBy: 'availableBytes',
    change: (hypervisor) => over(hypervisor, { availableBytes: async () => Number.NaN }),
  },
  {
    what: 'measures its CPU time downwards',
    foundBy: 'cpuDemandMs, cpuUsedMs',
    change: machines(() => {
      let ms = 1_000;
      return {
        cpuUsedMs: () => {
          ms -= 1;
          return ms;
        },
      };
    }),
  },
  {
    what: 'does not write to the console',
    foundBy: 'writeConsole: ',
    change: machines(() => ({ writeConsole: () => undefined })),
  },
  {
    what: 'tells the exit before the last words',
    foundBy: 'adopt: who has adopted tells the guest to stop',
    change: machines((machine) => {
      let held: (() => void)[] | undefined;
      return {
        onConsole: (listener) => {
          machine.onConsole((bytes) => {
            const copy = bytes.slice();
            const text = Buffer.from(bytes).toString();
            if (text.includes(' bye ')) held = [() => listener(copy)];
            else listener(copy);
          });
        },
        onExit: (listener) =>
          machine.onExit((exit) => {
            listener(exit);
            for (const tell of held ?? []) tell();
          }),
      };
    }),
  },
  {
    what: 'turns bytes of a link round',
    foundBy: 'connect: bytes go both ways',
    change: connections((connection) => {
      let last: Uint8Array | undefined;
      return {
        write: (bytes) => {
          const kept = last;
          last = bytes;
          return kept === undefined || connection.write(kept);
        },
      };
    }),
  },
  {
    what: 'connects to the first VM, whichever is meant',
    foundBy: 'connect: each VM has its own',
    change: (hypervisor) =>
      over(hypervisor, {
        connect: () => hypervisor.connect({ vm: 1, address: { id: 1, ip: '10.0.0.1', port: 9_000 } }),
      }),
  },
  {
    what: 'never says that a connection is closed',
    foundBy: 'connect: where no VM is',
    change: connections(() => ({ onClose: () => undefined })),
  },
  {
    what: 'says twice that a connection is closed',
    foundBy: 'connect: one that we close',
    change: connections((connection) => ({
      onClose: (listener) =>
        connection.onClose((why, isWhole) => {
          listener(why, isWhole);
          listener(why, isWhole);
        }),
    })),
  },
  {
    what: 'tells the exit when it signals, and not when the process is gone',
    foundBy: 'signal: SIGKILL ends it',
    change: machines(toldAtSignal),
  },
  {
    what: 'does the same, and so before the address is free',
    foundBy: 'onExit: once it is told, another VM can have the address',
    change: machines(toldAtSignal),
  },
  {
    what: 'tells an exit twice',
    foundBy: 'signal: SIGKILL ends it',
    change: machines((machine) => ({
      onExit: (listener) =>
        machine.onExit((exit) => {
          listener(exit);
          listener(exit);
        }),
    })),
  },
  {
    what: 'ignores SIGTERM',
    foundBy: 'signal: SIGTERM ends it',
    change: machines((machine) => ({ signal: (signal) => signal !== 'SIGTERM' && machine.signal(signal) })),
  },
  {
    what: 'quits by asking the guest',
    foundBy: 'quit: it ends',
    change: machines((machine) => ({
      quit: async () => {
        if (await machine.isRunning()) machine.writeConsole('stop\n');
      },
    })),
  },
  {
    what: 'tells no exit to a listener that comes late',
    foundBy: 'onExit: an end that came before',
    change: machines((machine) => {
      let isOver = false;
      return {
        onExit: (listener) => {
          if (isOver) return;
          machine.onExit((exit) => {
            isOver = true;
            listener(exit);
          });
        },
      };
    }),
  },
  {
    what: 'answers for a machine that is gone',
    foundBy: 'start, isRunning, quit: a machine that is gone',
    change: machines((machine) => ({ quit: () => machine.quit().catch(() => undefined) })),
  },
  {
    what: 'removes nothing',
    foundBy: 'remove: nothing is left',
    change: machines(() => ({ remove: async () => undefined })),
  },
  {
    what: 'removes at the exit, before anybody asks',
    foundBy: 'remove: nothing is left',
    change: machines((machine, room) => ({
      onExit: (listener) =>
        machine.onExit((exit) => {
          room.remove(machine.manifest.spec.vm);
          listener(exit);
        }),
    })),
  },
  {
    what: 'says that a process has ended which it has not signalled',
    foundBy: 'end, discard: a machine that nobody drives',
    change: (hypervisor) => over(hypervisor, { end: async () => true }),
  },
  {
    what: 'cannot confirm the end of a process that is gone',
    foundBy: 'end: of a process that is gone',
    change: (hypervisor, room) =>
      over(hypervisor, {
        end: async (process) => room.byPid(process.pid)?.isAlive === true && hypervisor.end(process),
      }),
  },
  {
    what: 'discards nothing',
    foundBy: 'end, discard: a machine that nobody drives',
    change: (hypervisor) => over(hypervisor, { discard: async () => undefined }),
  },
  {
    what: 'takes what it does not know for gone',
    foundBy: 'find: of a VM that never was',
    change: (hypervisor) =>
      over(hypervisor, { find: async (vm) => (await hypervisor.find(vm)) ?? { kind: 'gone', vm } }),
  },
  {
    what: 'ends the machine that it lets go of',
    foundBy: 'release, adopt: the machine runs on',
    change: machines((machine) => ({
      release: async () => {
        await machine.quit();
        await machine.release();
      },
    })),
  },
  {
    what: 'tells whoever has let go what the next one hears',
    foundBy: 'release: who has let go hears neither',
    change: machines(toAllListeners),
  },
  {
    what: 'forgets what the guest said when it was ready',
    foundBy: 'remember: ',
    change: machines(() => ({ remember: async () => undefined })),
  },
  {
    what: 'adopts a machine that is gone',
    foundBy: 'adopt: of a machine that is gone',
    change: (hypervisor, room) =>
      over(hypervisor, {
        adopt: (manifest) =>
          hypervisor.adopt(manifest).catch(() => hypervisor.prepare({ ...manifest.spec, vm: room.started + 1_000 })),
      }),
  },
  {
    what: 'adopts by the id alone',
    foundBy: 'adopt: a manifest of another machine',
    change: (hypervisor, room) =>
      over(hypervisor, {
        adopt: (manifest) => hypervisor.adopt(room.qemus.get(manifest.spec.vm)?.manifest ?? manifest),
      }),
  },
];

describe('an adapter is found that', () => {
  it.each(BROKEN.map((broken) => [broken.what, broken] as const))('%s', async (_what, { foundBy, change }) => {
    const points = HYPERVISOR_POINTS.filter(({ name }) => name.startsWith(foundBy));
    expect(points.length).toBe(1);
    for (const { holds } of points) {
      await expect(onSimulatedHost(holds, SEED, change)).rejects.toThrow();
      await expect(onSimulatedHost(holds, SEED)).resolves.toBeUndefined();
    }
  });

  it('breaks any point: each has an adapter above that it finds', async () => {
    const unfound = HYPERVISOR_POINTS.filter(({ name }) => !BROKEN.some(({ foundBy }) => name.startsWith(foundBy)));
    expect(unfound.map(({ name }) => name)).toEqual([]);
  });
});
