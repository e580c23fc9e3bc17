import { findAll, type Source } from './source.ts';

/** Time and chance of the machine, taken past the ports `Clock` and `Random`. */
const PAST_THE_PORTS =
  /\b(?:Date\.now|performance\.now|Math\.random|process\.hrtime|setTimeout|setInterval|setImmediate|randomUUID|randomBytes|randomInt|getRandomValues)\b|\bnew Date\(\s*\)|['"](?:node:)?timers(?:\/promises)?['"]/g;
/** The adapters by name: each is an option's default, as in `clock = systemClock`, or else somebody has chosen for the caller. */
const CHOSEN = /(?<!\?\? |[{(,]\s*\w+(?:: \w+)? = )\bsystem(?:Clock|Random)\b/g;

/**
 * Files that may read the machine's clock or chance, or name the adapters, each with the reason. A folder ends with `/`. What a simulation runs
 * is not among them.
 */
export const MAY_PASS_THE_PORTS: Readonly<Record<string, string>> = {
  'src/actors/clock.ts': 'the adapter of the port `Clock`',
  'src/actors/random.ts': 'the adapter of the port `Random`',
  'src/actors/scheduler.ts': "the adapter of the port `Scheduler`: it shares Node's event loop",
  'src/actors/pace.ts': "the scheduler's part for callers outside of actors: only a system on Node's event loop has it",
  'src/actors/kit/': 'the test kit runs beside real I/O, waits for it, and draws a seed',
  'src/sim/virtual-time.ts': 'lets Node look for signals between two events of a long simulation',
  'src/app/fleet-actors.ts': "chooses the adapters of `shoal up`: this host's QEMU and clock",
  'src/app/token-key.ts': 'makes a key once, in a data directory',
  'src/bundle/': 'an engine of its own, outside of any actor, has a clock and chance as a VM has',
  'src/cli/': 'the commands choose adapters and serve a person at a terminal',
  'src/console/': 'the dashboard serves a person at a terminal',
  'src/client/client.ts': 'the prefix of the ids of a client, unless the caller names one',
  'src/hypervisor/qemu/': 'the adapter of the port `Hypervisor`: a QEMU has a UUID',
  'src/shards/': 'worker threads, which a simulation has none of',
  'src/process/launcher-main.ts': 'a process of its own, which starts real programs and has no actors',
  'src/transport/own-server/': 'a nats-server process has a name of its own',
};

/** @returns the places where a source of the product reads the machine's clock or chance without being an adapter */
export function pastThePorts(source: Source): readonly string[] {
  const { path } = source;
  if (!path.startsWith('src/') || reasonOf(path) !== undefined) return [];
  const imports = [...source.text.matchAll(/^(?:import|export)\b[^;]*;/gm)];
  const isImport = (offset: number): boolean =>
    imports.some(({ index, 0: text }) => offset >= index && offset < index + text.length);
  const taken = findAll(source, 'code', PAST_THE_PORTS).filter(({ offset }) => !isImport(offset));
  const loaded = findAll(source, 'text', PAST_THE_PORTS).filter(({ offset }) => isImport(offset));
  const chosen = findAll(source, 'code', CHOSEN).filter(({ offset }) => !isImport(offset));
  return [...taken, ...loaded, ...chosen].map(({ place }) => place);
}

/** @returns the entry of the list that lets this file pass */
export function reasonOf(path: string): string | undefined {
  return Object.keys(MAY_PASS_THE_PORTS).find((one) => (one.endsWith('/') ? path.startsWith(one) : path === one));
}
