/**
 * The registry of every error that a user of Shoal can meet. A code is stable: programs match on it. `docs/errors.md` explains
 * each one, and `errors.test.ts` holds the two equal.
 */
export const ERRORS = {
  // The actor runtime.
  ACTOR_ASK_TIMEOUT: 'No reply arrived within the deadline of an ask.',
  ACTOR_CHILD_FAILED: 'An actor ended because a child that it does not watch failed.',
  ACTOR_MAILBOX_FULL: 'A mailbox was at its limit and its overflow rule is `fail`.',
  ACTOR_NAME_TAKEN: 'A sibling with that name is alive.',
  ACTOR_REF_INVALID: 'The ref is not an actor of this system, or not a child of the caller.',
  ACTOR_RUNNING: 'An actor that has not ended cannot be restarted.',
  ACTOR_STASHED_TWICE: 'An actor has stashed the message in hand twice.',
  ACTOR_STASH_FULL: 'An actor has stashed as many messages as its mailbox may hold.',
  ACTOR_START_TIMEOUT: 'An actor did not set itself up within its limit.',
  ACTOR_STOPPED: 'The actor is not running.',
  ACTOR_STOP_TIMEOUT: 'An actor did not finish stopping within its limit and was abandoned.',
  HOST_ACTOR_UNKNOWN: 'A host exposes no actor of that name.',
  HOST_LOST: 'Another host is gone, or out of reach, and its actors with it.',
  HOST_NAME_TAKEN: 'Another host of the group has that name.',
  HOST_PORT_REFUSED: 'The NATS server does not take a subject or a frame of the group.',
  HOST_UNKNOWN: 'No host of that name is up in the group.',
  MESSAGE_NOT_PLAIN: 'A message to an actor on another thread or host is not plain data.',
  MESSAGE_TOO_LARGE: 'A message to an actor on another host is larger than the NATS server takes.',
  SHARD_BEHAVIOUR_UNKNOWN: 'A shard has no behaviour of that name.',
  SHARD_CALL_TIMEOUT: 'A shard did not answer a control call in time.',
  SHARD_LOST: 'The worker thread of a shard ended or hung, and its actors with it.',
  SHARD_MODULE: 'The module with the behaviours of shards cannot be used.',
  SHARD_UNAVAILABLE: 'No shard is up to place an actor on.',
  SUPERVISOR_CHILD_EXISTS: 'A child with that id is already under the supervisor.',
  SUPERVISOR_CHILD_RUNNING: 'The child runs or is about to be restarted.',
  SUPERVISOR_CHILD_UNKNOWN: 'The supervisor has no such child.',
  SUPERVISOR_INTENSITY: 'Children were restarted more often than the intensity allows within the period.',
  SUPERVISOR_SPEC_INVALID: 'The spec of a child, or a flag of its supervisor, is invalid.',
  SUPERVISOR_START_FAILED: 'A child of a supervisor could not start.',
  // Configuration and the machine.
  USAGE: 'The command line is wrong.',
  CONFIG_VALUE: 'A parameter or option has an invalid value.',
  OUTPUT_UNWRITABLE: 'The output of a command could not be written.',
  DATA_DIR_UNUSABLE: 'The data directory cannot be used.',
  DATA_DIR_IN_USE: 'Another Shoal runs on this data directory.',
  FLEET_NOT_RUNNING: 'No Shoal runs on this data directory or under this fleet name.',
  OPEN_FILES_LIMIT: 'The limit of open files leaves no room for another VM.',
  PROCESS_LIMIT: 'A limit of processes and threads leaves no room for another.',
  PROC_UNUSABLE: '/proc does not show the processes of this machine.',
  SYSTEM_REFUSED: 'The system refused an operation.',
  PATH_TOO_LONG: 'A UNIX socket path would have 108 bytes or more.',
  POOL_INVALID: 'The address pool is not a usable range.',
  RIGHTS_MISSING: 'The user lacks a required right.',
  HTTP_LISTEN_FAILED: 'HTTP requests cannot be taken at an address.',
  // Images, QEMU and VMs.
  IMAGE_MISSING: 'The guest image does not exist or cannot be read.',
  IMAGE_INVALID: 'The file is not a guest image that QEMU can boot, or not the firmware that was built for VMs.',
  DEPLOY_RUNNING: 'A deploy of an image is under way.',
  DEPLOY_NONE: 'There is no deploy that could be rolled back.',
  SERVICE_BUILD: 'No image with the service could be built.',
  SERVICE_EXISTS: 'There is something already where a new service is to be written.',
  SERVICE_INVALID: 'The source of a service cannot be used.',
  PROFILE_INVALID: 'The profile of a guest image cannot be used.',
  QEMU_MISSING: 'The QEMU program was not found.',
  QEMU_EXITED: 'QEMU ended before the VM was prepared.',
  QMP_TIMEOUT: 'QEMU did not answer on its monitor in time.',
  QMP_ERROR: 'QEMU refused a monitor command.',
  PORT_TAKEN: 'Another program uses an address of the pool.',
  LAUNCHER_FAILED: 'The launcher process could not be started or has ended.',
  MANIFEST_INVALID: 'The manifest of a VM is damaged, foreign or of a newer version.',
  VM_BOOT_TIMEOUT: 'The guest did not become ready in time.',
  VM_CONTRACT: 'The guest broke the guest contract.',
  VM_GONE: 'The VM ended.',
  VM_STATE: 'The state of the VM does not allow the command.',
  VM_UNKNOWN: 'No VM has that id.',
  // The tables.
  STORE_DAMAGED: 'The tables file is damaged.',
  STORE_FOREIGN: 'The tables file does not belong to Shoal.',
  STORE_NEWER: 'The tables file was written by a newer Shoal.',
  STORE_UNREADABLE: 'The tables file or its folder cannot be read.',
  STORE_WRITE_FAILED: 'The tables could not be written to the disk.',
  STORE_CONFLICT: 'A change conflicts with the tables.',
  STORE_ROW_INVALID: 'A row to be written has a field with an invalid value.',
  STORE_CLOSED: 'The tables are closed because Shoal is ending.',
  // The parameters of the whole fleet.
  PARAMS_CONFLICT: 'Others changed the parameters of the fleet at each try.',
  PARAMS_DAMAGED: 'The parameters of the fleet are in no form that can be used.',
  PARAMS_UNAVAILABLE: 'The bucket with the parameters of the fleet cannot be used.',
  PARAMS_UNCERTAIN: 'A change of the parameters of the fleet may or may not have been made.',
  // Transport.
  NATS_MISSING: 'The nats-server program was not found.',
  NATS_SERVER_FAILED: "Shoal's own nats-server did not start or has ended.",
  NATS_UNREACHABLE: 'No NATS server answers at the given address.',
  NATS_UNAUTHORIZED: 'The NATS server refused the credentials, or requires some.',
  NATS_FORBIDDEN: 'The permissions of the NATS server do not allow a subject that is needed.',
  NATS_MESSAGE_INVALID: 'A NATS message has invalid headers or content.',
  FRAME_INVALID: 'Bytes on a link are not a frame of the guest contract.',
  HTTP_INVALID: 'Bytes of a guest that speaks HTTP are not a response.',
  HTTP_BODY_TOO_LONG: 'A response of a guest is longer than Shoal takes.',
  LINK_LOST: 'The connection to the guest was lost.',
  // Outcomes of a request (the numbers are those of DESIGN section 7).
  REQUEST_INVALID: '400: the request cannot be used.',
  REQUEST_OPERATION_UNKNOWN: '404: the service has no such operation.',
  REQUEST_TOO_LARGE: '413: the request or its reply is too large.',
  REQUEST_CANCELLED: '499: the request was cancelled by its client.',
  REQUEST_VM_FAILED: '502: the VM that worked on the request failed.',
  REQUEST_OVERLOADED: '503: no VM can take the request.',
  REQUEST_DEADLINE: '504: the deadline of the request passed.',
  REQUEST_NO_RESPONDERS: 'No Shoal serves this fleet on this NATS server.',
  REQUEST_UNKNOWN: 'Nothing is kept of a request with that id.',
  // What must not happen.
  INTERNAL: 'A defect in Shoal.',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** What may stand in an error's details: plain data that crosses threads and hosts. */
export type Detail = string | number | boolean | null | readonly Detail[] | { readonly [key: string]: Detail };

export interface ErrorOptions {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, Detail>>;
}

/** An error for two readers: `message` for a person (what, which value, what to do), `code` for a program. */
export class ShoalError extends Error {
  override readonly name = 'ShoalError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, Detail>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** An error as plain data: structured clone, piscina and comlink drop codes and causes, JSON drops everything. */
export interface ErrorEnvelope {
  readonly name: string;
  /** The error's own `code`; absent if it has none. */
  readonly code?: string | number;
  readonly message: string;
  readonly details: Readonly<Record<string, Detail>>;
  /** The stack of the error where it was thrown, on whatever thread; absent if no error was thrown, but a value. */
  readonly stack?: string;
  readonly cause?: ErrorEnvelope;
}

/** An envelope as it leaves the process: always with a code, and without stacks. */
export interface WireError extends ErrorEnvelope {
  readonly code: string;
  readonly stack?: never;
  readonly cause?: WireError;
}

/** A chain of causes longer than this is cut: an envelope must stay small whatever was thrown. */
const CAUSES_MAX = 8;
/** Longer stacks are cut. Node's own have ten frames, and begin with the message. */
const STACK_CHARS_MAX = 16_000;

/** Makes an envelope of whatever was thrown. Never throws itself: who handles a failure must not fail at that. */
export function toEnvelope(error: unknown): ErrorEnvelope {
  try {
    return envelopeOf(error, 0);
  } catch {
    // An object without a prototype cannot be made a string; a getter can throw.
    return { name: 'Error', message: 'something was thrown that cannot be shown', details: {} };
  }
}

/** The error of an envelope, with its stack: that of the place where it was thrown. */
export function fromEnvelope(envelope: ErrorEnvelope): Error {
  const { name, code, message, details, stack } = envelope;
  const cause = envelope.cause === undefined ? undefined : fromEnvelope(envelope.cause);
  const error =
    name === 'ShoalError' && isErrorCode(code)
      ? new ShoalError(code, message, { cause, details })
      : foreignError(envelope, cause);
  // The frames of this function would mislead.
  hidden(error, 'stack', stack ?? `${name}: ${message}`);
  return error;
}

/** In what Shoal itself sends, an error without a code is a defect of Shoal. */
export function toWire({ name, code, message, details, cause }: ErrorEnvelope): WireError {
  const wire = { name, code: String(code ?? 'INTERNAL'), message, details };
  return cause === undefined ? wire : { ...wire, cause: toWire(cause) };
}

function foreignError({ name, code, message }: ErrorEnvelope, cause: Error | undefined): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  hidden(error, 'name', name);
  return code === undefined ? error : Object.assign(error, { code });
}

/** Sets a property as `Error` itself does, so that it is not listed. */
function hidden(error: Error, property: 'name' | 'stack', value: string): void {
  Object.defineProperty(error, property, { value, writable: true, configurable: true, enumerable: false });
}

function isErrorCode(code: string | number | undefined): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same with the error's code behind it, if that is one of ours: `there is no such command [USAGE]`. */
export function messageWithCode(error: unknown): string {
  return error instanceof ShoalError ? `${error.message} [${error.code}]` : messageOf(error);
}

/** The code of anything that was thrown: ours, Node's (`ENOENT`), or none. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? anyCodeOf(error) : undefined;
  return typeof code === 'string' ? code : undefined;
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file: a part of its path is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  ELOOP: 'its links lead in a circle',
};

/** Why a file cannot be read, for a message: `there is no such file (ENOENT)`. */
export function whyUnreadable(cause: unknown): string {
  const code = codeOf(cause);
  if (code === undefined) return messageOf(cause);
  const why = UNREADABLE[code];
  return why === undefined ? code : `${why} (${code})`;
}

function envelopeOf(error: unknown, depth: number): ErrorEnvelope {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), details: {} };
  const code = anyCodeOf(error);
  const stack = stackOf(error);
  const envelope = {
    // Whatever a program has put there: an envelope must be able to cross.
    name: String(error.name),
    ...(code === undefined ? {} : { code }),
    message: String(error.message),
    details: error instanceof ShoalError ? plainDetails(error.details) : {},
    ...(typeof stack === 'string' ? { stack: stack.slice(0, STACK_CHARS_MAX) } : {}),
  };
  if (error.cause === undefined || depth >= CAUSES_MAX) return envelope;
  return { ...envelope, cause: envelopeOf(error.cause, depth + 1) };
}

/** Node makes the stack when it is read, and cannot if the name is a symbol, for example. */
function stackOf(error: Error): unknown {
  try {
    return error.stack;
  } catch {
    return undefined;
  }
}

/** Details as their type says, which programs in JavaScript do not keep to. */
function plainDetails(details: Readonly<Record<string, Detail>>): Readonly<Record<string, Detail>> {
  if (Object.values(details).every((value) => value === null || SIMPLE.has(typeof value))) return details;
  try {
    // It leaves out what cannot cross.
    return JSON.parse(JSON.stringify(details)) as Readonly<Record<string, Detail>>;
  } catch {
    return {};
  }
}

const SIMPLE: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

/** Codes are texts in Node and in Shoal, and numbers in some libraries. */
function anyCodeOf(error: Error): string | number | undefined {
  if (!('code' in error)) return undefined;
  return typeof error.code === 'string' || typeof error.code === 'number' ? error.code : undefined;
}
