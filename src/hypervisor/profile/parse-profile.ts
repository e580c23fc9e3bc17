import { type Detail, ShoalError } from '../../errors.ts';
import { longestCommandLine, PLACEHOLDER_NAMES, unknownPlaceholder } from './command-line.ts';
import { boolean, FieldFault, Fields, oneOf, type Reader, someOf, text, whole } from './field-readers.ts';
import { parseLinePattern } from './line-pattern.ts';
import {
  ACCELERATORS,
  BOOT_METHODS,
  CONSOLE_FIELDS,
  CONSOLE_FORMATS,
  type ConsoleField,
  type ConsoleProfile,
  canUseOwnFirmware,
  FIRMWARES,
  type HttpProbe,
  type ImageProfile,
  MACHINES,
  NETWORK_DEVICES,
  NETWORKS,
  PAYLOADS,
  POWER_OFFS,
  type PowerOff,
  PROTOCOLS,
  STOP_ASKS,
} from './profile.ts';
import { BUILT_IN_PROFILE } from './shipped.ts';

/** The names of the fields, in the order of the documentation. */
export const PROFILE_FIELDS = [
  'machine',
  'boot',
  'firmware',
  'initrd',
  'chainloader',
  'commandLine',
  'memoryMib',
  'memoryMinMib',
  'networkDevice',
  'network',
  'protocol',
  'console',
  'payload',
  'idempotent',
  'powerOff',
  'bootTimeoutMs',
  'accelerators',
  'readiness',
  'liveness',
] as const satisfies readonly (keyof ImageProfile)[];

export const MEMORY_MIB_MAX = 65_536;
const BOOT_TIMEOUT_MS_MAX = 3_600_000;
const COMMAND_LINE_CHARS_MAX = 2_000;
/** Of the 4095 that a guest gets, QEMU adds a word for each device, and Shoal the key of a port. */
const EXPANDED_CHARS_MAX = 3_900;
const MS_MAX = 3_600_000;

/**
 * Reads a profile. A field that is left out has the built-in image's value; one that is not known is refused.
 * @param from where the value stands, for errors
 * @throws PROFILE_INVALID naming the field, its value and what it may be
 */
export function parseProfile(value: unknown, from: string): ImageProfile {
  try {
    return profileOf(value);
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error;
    throw new ShoalError('PROFILE_INVALID', `The profile ${from} cannot be used: ${error.message}`, {
      details: { profile: from, field: error.place, value: detailOf(error.value) },
    });
  }
}

function profileOf(value: unknown): ImageProfile {
  const standard = BUILT_IN_PROFILE;
  const fields = new Fields(value, '', PROFILE_FIELDS);
  const machine = fields.read('machine', oneOf(MACHINES), standard.machine);
  const boot = fields.read('boot', oneOf(BOOT_METHODS), machine === 'microvm' ? 'pvh' : 'multiboot');
  const console = fields.read('console', readConsole, standard.console);
  const profile: ImageProfile = {
    machine,
    boot,
    ...defined('firmware', fields.optional('firmware', oneOf(FIRMWARES))),
    ...defined('initrd', fields.optional('initrd', PATH)),
    ...defined('chainloader', fields.optional('chainloader', PATH)),
    commandLine: fields.read('commandLine', readCommandLine, standard.commandLine),
    memoryMib: fields.read('memoryMib', whole(1, MEMORY_MIB_MAX), standard.memoryMib),
    ...defined('memoryMinMib', fields.optional('memoryMinMib', whole(1, MEMORY_MIB_MAX))),
    networkDevice: fields.read('networkDevice', oneOf(NETWORK_DEVICES), deviceOf(machine)),
    network: fields.read('network', oneOf(NETWORKS), standard.network),
    protocol: fields.read('protocol', oneOf(PROTOCOLS), standard.protocol),
    console,
    payload: fields.read('payload', oneOf(PAYLOADS), standard.payload),
    ...defined('idempotent', fields.optional('idempotent', boolean)),
    powerOff: fields.read('powerOff', readPowerOff, console.format === 'none' ? EXIT : standard.powerOff),
    bootTimeoutMs: fields.read('bootTimeoutMs', whole(1, BOOT_TIMEOUT_MS_MAX), standard.bootTimeoutMs),
    accelerators: fields.read('accelerators', someOf(ACCELERATORS), standard.accelerators),
    ...defined('readiness', fields.optional('readiness', readProbe)),
    ...defined('liveness', fields.optional('liveness', readProbe)),
  };
  checkTogether(profile);
  return profile;
}

function defined<K extends string, T>(name: K, value: T | undefined): { [key in K]?: T } {
  // The one property has the name and the type that the return type says.
  return value === undefined ? {} : ({ [name]: value } as { [key in K]?: T });
}

function deviceOf(machine: ImageProfile['machine']): ImageProfile['networkDevice'] {
  return machine === 'microvm' ? 'virtio-net-device' : 'virtio-net-pci';
}

const EXIT: PowerOff = { by: 'exit', ask: 'console' };

/** QEMU's options take no control characters, and a longer path is a mistake. */
const PATH = text(/^[^\p{Cc}]{1,1000}$/u, 'a path of 1 to 1000 characters, relative to the profile');

const COMMAND_LINE = text(
  new RegExp(`^[ -~]{0,${COMMAND_LINE_CHARS_MAX}}$`),
  `up to ${COMMAND_LINE_CHARS_MAX} printable ASCII characters`,
);

function readCommandLine(value: unknown, place: string): string {
  const template = COMMAND_LINE(value, place);
  const unknown = unknownPlaceholder(template);
  if (unknown !== undefined) {
    const remedy = `\`${unknown}\` is none; there are ${PLACEHOLDER_NAMES.map((name) => `{${name}}`).join(', ')}`;
    throw new FieldFault(place, 'a text with known placeholders in braces', value, remedy);
  }
  const length = longestCommandLine(template);
  if (length <= EXPANDED_CHARS_MAX) return template;
  const wanted = `at most ${EXPANDED_CHARS_MAX} characters once its names are replaced`;
  throw new FieldFault(place, wanted, value, `It may become ${length} characters long`);
}

const NAME = text(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'a name of 1 to 64 letters, digits, "_", "." and "-"');

function readConsole(value: unknown, place: string): ConsoleProfile {
  const every = new Fields(value, place, ['format', 'kind', 'names', 'ready', 'status', 'bye']);
  const format = every.required('format', oneOf(CONSOLE_FORMATS));
  switch (format) {
    case 'shoal':
    case 'none':
      new Fields(value, place, ['format']);
      return { format };
    case 'key=value':
    case 'json': {
      const fields = new Fields(value, place, ['format', 'kind', 'names']);
      return { format, kind: fields.read('kind', NAME, 'kind'), names: fields.read('names', readNames, {}) };
    }
    case 'regex': {
      const fields = new Fields(value, place, ['format', 'ready', 'status', 'bye']);
      return {
        format,
        ready: fields.required('ready', readPattern),
        status: fields.required('status', readPattern),
        ...defined('bye', fields.optional('bye', readPattern)),
      };
    }
  }
}

function readNames(value: unknown, place: string): Readonly<Partial<Record<ConsoleField, string>>> {
  const fields = new Fields(value, place, CONSOLE_FIELDS);
  const names: Partial<Record<ConsoleField, string>> = {};
  for (const name of CONSOLE_FIELDS) {
    const own = fields.optional(name, NAME);
    if (own !== undefined) names[name] = own;
  }
  return names;
}

/** @throws FieldFault if it is no pattern, or one that a line could make expensive */
function readPattern(value: unknown, place: string): string {
  const pattern = text(/^[^\p{Cc}]{1,500}$/u, 'a pattern of 1 to 500 characters')(value, place);
  const fault = parseLinePattern(pattern, CONSOLE_FIELDS);
  if (typeof fault !== 'string') return pattern;
  throw new FieldFault(place, 'a pattern of the kind that docs/images.md describes', value, fault);
}

function readPowerOff(value: unknown, place: string): PowerOff {
  const every = new Fields(value, place, ['by', 'code', 'ask']);
  const by = every.required('by', oneOf(POWER_OFFS));
  const ask = every.read('ask', oneOf(STOP_ASKS), 'console');
  if (by === 'isa-debug-exit') return { by, code: every.read('code', readExitCode, STOPPED.code), ask };
  new Fields(value, place, ['by', 'ask']);
  return { by, ask };
}

const STOPPED = { code: 67 };

const EXIT_CODE = whole(1, 255);

function readExitCode(value: unknown, place: string): number {
  const code = EXIT_CODE(value, place);
  if (code % 2 === 1) return code;
  const remedy = 'A guest that writes N to port 0xf4 makes QEMU exit with 2 N + 1';
  throw new FieldFault(place, 'an odd number from 1 to 255', value, remedy);
}

const readProbe: Reader<HttpProbe> = (value, place) => {
  const fields = new Fields(value, place, ['path', 'intervalMs', 'timeoutMs', 'failures']);
  return {
    path: fields.required('path', text(/^\/[!-~]{0,500}$/, 'a path of an URL that begins with "/"')),
    intervalMs: fields.read('intervalMs', whole(10, MS_MAX), 1_000),
    timeoutMs: fields.read('timeoutMs', whole(1, MS_MAX), 1_000),
    failures: fields.read('failures', whole(1, 1_000), 3),
  };
};

function checkTogether(profile: ImageProfile): void {
  const { machine, boot, networkDevice, chainloader, initrd, powerOff, console, protocol, memoryMib, memoryMinMib } =
    profile;
  if (networkDevice !== deviceOf(machine)) {
    const remedy = `The machine ${machine} has ${machine === 'microvm' ? 'no PCI' : 'PCI only'}`;
    throw new FieldFault('networkDevice', JSON.stringify(deviceOf(machine)), networkDevice, remedy);
  }
  if (profile.firmware === 'shoal' && !canUseOwnFirmware(profile)) {
    const remedy = `Shoal's own is for the machine microvm and boot "pvh", not for ${machine} and "${boot}"`;
    throw new FieldFault('firmware', '"qemu", or left out', profile.firmware, remedy);
  }
  if (memoryMinMib !== undefined && memoryMinMib > memoryMib) {
    throw new FieldFault('memoryMinMib', `at most \`memoryMib\`, which is ${memoryMib}`, memoryMinMib);
  }
  if (boot === 'chainloader' && chainloader === undefined) {
    throw new FieldFault('chainloader', 'the path of the program that loads the image', chainloader);
  }
  if (boot !== 'chainloader' && chainloader !== undefined) {
    throw new FieldFault('chainloader', 'left out', chainloader, `It belongs to boot "chainloader", not to "${boot}"`);
  }
  if (boot === 'chainloader' && initrd !== undefined) {
    throw new FieldFault('initrd', 'left out', initrd, 'With boot "chainloader" the image itself takes its place');
  }
  if (powerOff.ask === 'powerdown' && machine === 'microvm') {
    const remedy = 'The machine microvm has no power button here';
    throw new FieldFault('powerOff.ask', '"console"', powerOff.ask, remedy);
  }
  if (powerOff.by !== 'exit' && console.format === 'none') {
    throw new FieldFault('powerOff.by', '"exit"', powerOff.by, 'A guest whose console says nothing says no bye');
  }
  for (const name of ['readiness', 'liveness'] as const) {
    const probe = profile[name];
    if (probe === undefined || protocol === 'http') continue;
    throw new FieldFault(name, 'left out', probe, `A probe is of HTTP, and \`protocol\` is "${protocol}"`);
  }
}

/** What JSON can hold. */
function detailOf(value: unknown): Detail {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Detail);
}
