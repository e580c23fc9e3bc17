import { resolve } from 'node:path';
import { systemClock } from '../actors/mod.ts';
import {
  defaultDataDir,
  defaultImage,
  FLEET_DEFAULT,
  POOL_DEFAULT,
  parseHostPool,
  type Role,
  refuseInUse,
  SHARDS_MAX,
  type Shoal,
  shardsDefault,
  startShoal,
  type UpOptions,
} from '../app/mod.ts';
import { closeInheritedFiles } from '../process/mod.ts';
import {
  type Command,
  DATA_FLAG,
  FLEET_FLAG,
  type Flag,
  type Flags,
  NETWORK_FLAG,
  OUTPUT_FLAG,
  PROFILE_FLAGS,
  QEMU_FLAG,
} from './command.ts';
import { httpAddress } from './http-address.ts';
import { printJson } from './output.ts';
import { usage } from './parse.ts';
import { machineChoice, profileChoice, settings } from './settings.ts';
import { onStopSignal } from './signals.ts';
import { isOnTerminal, sendHint } from './terminal.ts';
import { type UpMode, UpOutput } from './up-output.ts';
import { SERVICE_FLAGS, UpService } from './up-service.ts';

const GREETING = 'Hello from a unikernel';
const LEFT = 'The dashboard was left';

const NATS: Flag = { name: 'nats', value: 'URL', about: 'use this NATS server instead of starting one' };
const HOST: Flag = {
  name: 'host',
  value: 'NAME',
  about: "name of this host in the fleet (default: that of the last run, at first the machine's)",
};
/** Of whoever takes requests. */
const HTTP: Flag = {
  name: 'http',
  value: '[ADDR:]PORT',
  about:
    'take requests over HTTP too: POST / and POST /OPERATION; on 127.0.0.1 if no address is named, 0 for a free port',
};
/** Of whoever has VMs. */
const VM_FLAGS: readonly Flag[] = [
  {
    name: 'pool',
    value: 'RANGE:PORT',
    about: `addresses for the VMs (default: those of the last run, at first ${POOL_DEFAULT})`,
  },
  { name: 'min', value: 'N', about: 'VMs to keep running, as the parameter min_vm_count (default: 1)' },
  { name: 'image', value: 'FILE', about: 'guest image (default: the built-in one)' },
  ...SERVICE_FLAGS,
  ...PROFILE_FLAGS,
  {
    name: 'accel',
    value: 'NAME',
    choices: ['auto', 'kvm', 'tcg'],
    about: 'auto, kvm or tcg (default: auto, which measures once)',
  },
  NETWORK_FLAG,
  QEMU_FLAG,
  {
    name: 'routing',
    value: 'HOW',
    choices: ['pack', 'spread'],
    about: 'pack fills VMs so that others fall idle and can end, spread keeps the load of each low (default: pack)',
  },
  {
    name: 'control',
    value: 'HOW',
    choices: ['direct', 'relay'],
    about: 'relay sends start and stop commands through the guests, signed (default: direct)',
  },
  {
    name: 'shards',
    value: 'N',
    about: 'worker threads that watch VMs; 0: the main thread (default: $SHOAL_SHARDS, else cores - 1)',
  },
];
const MORE_FLAGS: readonly Flag[] = [
  { name: 'set', value: 'KEY=VALUE', multiple: true, about: 'set a parameter, for later runs too; may be repeated' },
  { name: 'fresh', about: 'end what an earlier Shoal left running instead of adopting it' },
  { name: 'plain', about: 'print lines instead of the dashboard, even on a terminal' },
  { name: 'rebuild', about: 'set damaged tables aside and rebuild them from the running VMs' },
  OUTPUT_FLAG,
];
const COMMON = { words: '', wordsMax: 0, outlivesOutput: true } as const;

export const upCommand: Command = {
  ...COMMON,
  name: 'up',
  summary:
    'runs a whole Shoal on this machine until Ctrl-C: server, controller, VMs, and a NATS server if none is named',
  flags: [DATA_FLAG, FLEET_FLAG, NATS, HOST, HTTP, ...VM_FLAGS, ...MORE_FLAGS],
  examples: [
    ['shoal up', 'at least one VM, more as requests come; Ctrl-C ends everything'],
    ['shoal up --service hello.ts --watch', 'a service of your own; a saved file is deployed'],
    ['shoal up --min 3 --set vm_requests_max=8', 'three VMs, each free while it has fewer than eight requests'],
    ['shoal up --nats nats://127.0.0.1:4222 --fleet blue', 'uses a NATS server that already runs'],
    ['shoal up --http 8080', 'also takes `curl -d "a text" http://127.0.0.1:8080/`'],
    ['shoal up --nats nats://127.0.0.1:4222 --host b', 'one more host of the fleet that is served there'],
  ],
  run: ({ flags }) => runAs({ command: upCommand, flags, role: undefined }),
};

export const serverCommand: Command = {
  ...COMMON,
  name: 'server',
  summary: 'runs a host that takes requests and has no VMs: it hands them on to the other hosts of the fleet',
  flags: [DATA_FLAG, FLEET_FLAG, NATS, HOST, HTTP, ...MORE_FLAGS],
  examples: [['shoal server --nats nats://127.0.0.1:4222 --host front', 'takes requests for the fleet that is there']],
  run: ({ flags }) => runAs({ command: serverCommand, flags, role: 'server' }),
};

export const controllerCommand: Command = {
  ...COMMON,
  name: 'controller',
  summary: 'runs a host that has VMs and takes only the requests that other hosts of the fleet hand on to it',
  flags: [DATA_FLAG, FLEET_FLAG, NATS, HOST, ...VM_FLAGS, ...MORE_FLAGS],
  examples: [['shoal controller --nats nats://127.0.0.1:4222 --host c', 'more VMs for the fleet that is there']],
  run: ({ flags }) => runAs({ command: controllerCommand, flags, role: 'controller' }),
};

/** One of the three commands, as it was called. */
interface Call {
  /** For errors, which name its help. */
  readonly command: Command;
  readonly flags: Flags;
  /** Undefined: both. */
  readonly role: Role | undefined;
}

async function runAs(call: Call): Promise<number> {
  const output = new UpOutput(modeOf(call.flags));
  try {
    return await runUp(call, output);
  } finally {
    await output.written();
  }
}

async function runUp(call: Call, output: UpOutput): Promise<number> {
  const stopping = new AbortController();
  let firstMs = 0;
  let hurry: (() => void) | undefined;
  const stop = (by: string): void => {
    if (stopping.signal.aborted) {
      // A second Ctrl-C cuts the stop short.
      if (systemClock.monotonic() - firstMs >= samePressMs()) hurry?.();
      return;
    }
    // npm repeats signals, not keys that the dashboard has read.
    firstMs = by === LEFT ? Number.NEGATIVE_INFINITY : systemClock.monotonic();
    output.leave();
    output.say(`${by}: ending everything that was started; ${by === LEFT ? 'Ctrl-C' : 'once more'} ends it at once`);
    stopping.abort();
  };
  onStopSignal(stop);
  // A build takes long: what would be refused after it is refused before it.
  const asked = optionsOf(call, output);
  if (call.flags.text('service') !== undefined) refuseInUse(asked.dataDir);
  const service = await built(call, output, stopping.signal);
  if (stopping.signal.aborted) return 0;
  try {
    const options = service === undefined ? asked : { ...asked, image: service.image, service: service.source };
    // A VM may outlive Shoal by days, and would keep them open.
    closeInheritedFiles();
    // The directory may be removed while Shoal runs, and no thread starts in one that is not there.
    process.chdir('/');
    const shoal = await started(options, stopping.signal);
    if (shoal === undefined) return 0;
    hurry = () => shoal.hurry();
    await service?.started();
    await runUntilStopped(shoal, { ...call, output, service, stop, stopping: stopping.signal });
    return stopping.signal.aborted ? await tellEnd(shoal, output) : 0;
  } finally {
    await service?.close();
  }
}

interface Run extends Call {
  readonly output: UpOutput;
  readonly service: UpService | undefined;
  readonly stop: (by: string) => void;
  readonly stopping: AbortSignal;
}

async function runUntilStopped(shoal: Shoal, { flags, output, role, service, stop, stopping }: Run): Promise<void> {
  try {
    const greeted = role === undefined ? greet(shoal, flags, output, stop) : tellReady(shoal, output, role);
    if (flags.has('watch')) void greeted.then(() => service?.watch(shoal)).catch(() => undefined);
    // After a stop the outcome of the greeting does not matter.
    greeted.catch(() => undefined);
    await Promise.race([greeted, aborted(stopping)]);
    const failure = await Promise.race([shoal.failed, shoal.asked, aborted(stopping)]);
    if (failure !== undefined) {
      // A defect of Shoal must not end working VMs: the next `up` adopts them.
      shoal.keepVms();
      throw failure;
    }
  } finally {
    try {
      // Nothing is deployed any more.
      await service?.close();
      await output.close();
    } finally {
      // The fleet must be stopped even if the terminal fails.
      await shoal.stop();
    }
  }
}

async function tellEnd(shoal: Shoal, output: UpOutput): Promise<number> {
  const left = await shoal.left();
  if (left === 0) {
    output.say('Everything has ended.');
    return 0;
  }
  const vms = left === 1 ? '1 VM that could not be identified' : `${left} VMs that could not be identified`;
  output.say(`Everything has ended but ${vms}; the next \`shoal up\` looks again`);
  return 1;
}

/** The service of `--service`; undefined if there is none, or if it was stopped meanwhile. */
async function built({ command, flags }: Call, output: UpOutput, signal: AbortSignal): Promise<UpService | undefined> {
  const opening = UpService.open(command, flags, output.notice);
  const service = await Promise.race([opening, aborted(signal)]);
  // A build that is cut short has no outcome that matters.
  if (signal.aborted) void opening.then((late) => late?.close()).catch(() => undefined);
  return service;
}

function modeOf(flags: Flags): UpMode {
  if (flags.oneOf('output', ['table', 'json']) === 'json') return 'json';
  return flags.has('plain') || !isOnTerminal() ? 'lines' : 'dashboard';
}

/** @returns undefined if it was stopped during the start, in which case nothing is left running */
async function started(options: UpOptions, signal: AbortSignal): Promise<Shoal | undefined> {
  try {
    return await startShoal(options, signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  }
}

function optionsOf(call: Call, output: UpOutput): UpOptions {
  const { flags, role } = call;
  const nats = flags.text('nats');
  const pool = flags.text('pool');
  const host = flags.text('host');
  const http = flags.text('http');
  return {
    dataDir: resolve(flags.text('data') ?? defaultDataDir()),
    fleet: flags.text('fleet') ?? FLEET_DEFAULT,
    ...(nats === undefined ? {} : { nats }),
    ...(pool === undefined ? {} : { pool: parseHostPool(pool) }),
    ...(role === 'server' ? { pool: [] } : {}),
    ...(role === undefined ? {} : { role }),
    params: parametersOf(call),
    routing: flags.oneOf('routing', ['pack', 'spread']) ?? 'pack',
    control: flags.oneOf('control', ['direct', 'relay']) ?? 'direct',
    fresh: flags.has('fresh'),
    rebuild: flags.has('rebuild'),
    image: resolve(flags.text('image') ?? defaultImage()),
    watch: flags.has('watch'),
    ...profileOptions(call),
    shards: shardsOf(call),
    accelerator: flags.oneOf('accel', ['auto', 'kvm', 'tcg']) ?? 'auto',
    ...machineChoice(flags),
    ...(host === undefined ? {} : { host }),
    ...(http === undefined ? {} : { http: httpAddress(http) }),
    onEvent: output.event,
    onProgress: output.progress,
  };
}

function profileOptions({ command, flags }: Call): Pick<UpOptions, 'profile' | 'profileSet'> {
  const { profile, set = {} } = profileChoice(command, flags);
  return { ...(profile === undefined ? {} : { profile }), profileSet: set };
}

function shardsOf({ command, flags }: Call): number {
  const named = flags.whole('shards', { min: 0, max: SHARDS_MAX });
  if (named !== undefined) return named;
  const { SHOAL_SHARDS: value = '' } = process.env;
  if (value === '') return shardsDefault();
  const count = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (count <= SHARDS_MAX) return count;
  throw usage(
    command,
    `expected SHOAL_SHARDS to be a whole number from 0 to ${SHARDS_MAX}, got ${JSON.stringify(value)}`,
  );
}

function parametersOf({ command, flags }: Call): Record<string, string> {
  const values = settings(command, flags.list('set'));
  const min = flags.text('min');
  return min === undefined ? values : { ...values, min_vm_count: min };
}

/** Of one part a request would tell nothing: its other half is elsewhere. */
async function tellReady(shoal: Shoal, output: UpOutput, role: Role): Promise<void> {
  const { nats, fleet, subject, http } = shoal;
  await shoal.firstReady;
  if (output.mode === 'json') return printReady(shoal);
  const takes =
    role === 'server'
      ? `takes requests on ${subject}${http === undefined ? '' : ` and at ${http}`}, and has no VMs`
      : 'has VMs, and takes what others hand on';
  output.say(`Ready: this host of the fleet "${fleet}" at ${nats} ${takes}. Ctrl-C ends it.`);
}

/**
 * Sends one request through the whole path, so that "Ready" means that the fleet has answered. What a service makes of it is the service's
 * own affair.
 */
async function greet(shoal: Shoal, flags: Flags, output: UpOutput, stop: (by: string) => void): Promise<void> {
  const { nats, fleet, subject, http } = shoal;
  const { text, refusal, vm, ms } = await shoal.greet(GREETING);
  if (output.mode === 'json') return printReady(shoal);
  const hint = sendHint(flags);
  const came = text === undefined ? `was refused with ${refusal}` : `came back as "${text}"`;
  if (vm === undefined) output.say(`VMs are ready, but the service does not answer "${GREETING}": ${refusal}.`);
  else output.say(`Ready: "${GREETING}" went to VM ${vm} and ${came} after ${ms.toFixed(1)} ms.`);
  const curl = http === undefined ? '' : `, by \`curl -d TEXT ${http}\``;
  output.say(`Send more with \`${hint}\`${curl}, or to the subject ${subject} at ${nats}. Ctrl-C ends everything.`);
  const answer = text === undefined ? refusal : `"${text}"`;
  const first =
    vm === undefined ? `The service does not answer "${GREETING}".` : `VM ${vm} answered "${GREETING}" with ${answer}.`;
  const notes = [first, `Send more: ${hint}`];
  if (http !== undefined) notes.push(`Over HTTP: curl -d TEXT ${http}`);
  // The given address may contain a password, which the shown one leaves out.
  const servers = flags.text('nats') ?? nats;
  if (output.mode !== 'dashboard') return;
  await output.show({ servers, fleet, sendHint: hint }, notes, (reason) => {
    if (reason === 'quit') stop(LEFT);
    // A fleet needs no terminal. If losing it is to end the fleet, SIGHUP says so.
    else output.leave();
  });
}

async function printReady(shoal: Shoal): Promise<void> {
  const { nats, fleet, subject, http, accelerator, qemu } = shoal;
  const { vms } = await shoal.snapshot();
  printJson({ ready: true, nats, fleet, subject, ...(http === undefined ? {} : { http }), accelerator, qemu, vms });
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Under npm one Ctrl-C arrives twice: from the terminal and from npm. */
function samePressMs(): number {
  return process.env['npm_lifecycle_event'] === undefined ? 0 : 300;
}
