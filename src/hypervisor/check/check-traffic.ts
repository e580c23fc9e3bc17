import { messageOf } from '../../errors.ts';
import { type Answer, openAsker } from './asker.ts';
import type { CheckContext } from './check-context.ts';
import { short } from './heard.ts';
import { whyStill } from './why-still.ts';

const TEXT = 'shoal image check';
const TYPE = 'text/plain';
const NO_SUCH_OPERATION = 'shoal-no-such-operation';
/** Long enough for some reports. */
const SPIN_MS = 1_000;
const REPORTS_AT_WORK = 2;

/** Requests and what belongs to them. */
export async function checkTraffic(context: CheckContext): Promise<void> {
  await request(context);
  await unknownOperation(context);
  await cancel(context);
  await atWork(context);
  await largestText(context);
  await garbage(context);
}

async function request(context: CheckContext): Promise<void> {
  const { list, profile, heard, asker } = context;
  const saysBytes = heard.ready?.guest.payload === 'bytes';
  if (saysBytes && profile.payload !== 'bytes') {
    const remedy = 'say `"payload": "bytes"` there, or it is given text alone';
    return list.failed('request', `its ready line says payload=bytes, and its profile does not: ${remedy}`);
  }
  const { typed } = asker;
  const answer =
    saysBytes && typed !== undefined
      ? await told(context, typed('', TYPE, Buffer.from(TEXT), context.stepMs))
      : await asked(context, '', TEXT);
  if (typeof answer === 'string') return list.failed('request', answer);
  const { status, payload, hasToken } = answer;
  if (hasToken === false) return list.failed('request', 'its answer does not carry the token of the request');
  const shown = short(Buffer.from(payload).toString('utf8'));
  if (status >= 500) return list.failed('request', `${status}: ${shown}`);
  if (profile.payload === 'text' && !isUtf8(payload)) return list.failed('request', `its reply is not UTF-8: ${shown}`);
  list.ok(
    'request',
    status === 200 ? `${short(TEXT)} -> ${shown}` : `it refuses ${short(TEXT)} with ${status}: ${shown}`,
  );
}

async function unknownOperation(context: CheckContext): Promise<void> {
  const { list, profile } = context;
  const answer = await asked(context, NO_SUCH_OPERATION, TEXT);
  if (typeof answer === 'string') return list.failed('unknown-operation', answer);
  if (answer.status === 404) return list.ok('unknown-operation', '404');
  const said = `it answers ${short(NO_SUCH_OPERATION)} with ${answer.status}`;
  // A program that serves one path for all was not made for operations.
  if (profile.protocol === 'http' && answer.status < 500) list.skipped('unknown-operation', `${said}: it has none`);
  else list.failed('unknown-operation', said);
}

async function cancel(context: CheckContext): Promise<void> {
  const { list, asker, found, stepMs } = context;
  if (asker.cancelled === undefined) return list.skipped('cancel', 'HTTP has no way to cancel');
  const [operation, text] = spins(context) ? ['spin', '2000'] : ['', TEXT];
  try {
    const { status } = await asker.cancelled(operation, Buffer.from(text), stepMs);
    found.answered += 1;
    await asker.ping(stepMs);
    list.ok('cancel', status === 200 ? 'it was done before' : `${status}`);
  } catch (error) {
    list.failed('cancel', `${messageOf(error)}; ${context.heard.lastWords}`);
  }
}

async function atWork(context: CheckContext): Promise<void> {
  const { list, heard, spec, stepMs } = context;
  if (!spins(context)) return list.skipped('at-work', 'it has no operation `spin`, which computes for a while');
  const why = await whyStill(heard, () => whyUnheardAtWork(context));
  if (why !== undefined) return list.failed('at-work', why);
  await heard.until(() => false, Math.min(stepMs, spec.statusIntervalMs));
  list.ok('at-work', 'reports and a pong came meanwhile');
}

/** @returns what was missed while it computed for a while; undefined if nothing was */
async function whyUnheardAtWork(context: CheckContext): Promise<string | undefined> {
  const { heard, asker, profile, spec } = context;
  const before = heard.reports.length;
  const work = asked(context, 'spin', String(SPIN_MS));
  const pong = asker.ping(SPIN_MS).then(
    () => undefined,
    (error: unknown) => messageOf(error),
  );
  const isReported =
    profile.console.format === 'none' ||
    (await heard.until(() => heard.reports.length >= before + REPORTS_AT_WORK, SPIN_MS));
  const whyNoPong = await pong;
  const answer = await work;
  if (typeof answer === 'string') return answer;
  if (whyNoPong !== undefined) return `no pong while it computes: ${whyNoPong}`;
  if (isReported) return undefined;
  return `no reports while it computes for ${SPIN_MS} ms, told each ${spec.statusIntervalMs} ms`;
}

async function largestText(context: CheckContext): Promise<void> {
  const { list, asker, heard, spec, stepMs } = context;
  const answer = await asked(context, '', 'a'.repeat(spec.textBytesMax), LARGE_FACTOR * stepMs);
  if (typeof answer === 'string') return list.failed('largest-text', answer);
  const { status } = answer;
  try {
    await asker.ping(stepMs);
  } catch (error) {
    return list.failed('largest-text', `after it: ${messageOf(error)}; ${heard.lastWords}`);
  }
  const mib = (Math.max(0, ...heard.reports.map(({ report }) => report.ramBytes)) / 2 ** 20).toFixed(1);
  const memory = heard.reports.length === 0 ? '' : `; it has used up to ${mib} of ${spec.memoryMib} MiB`;
  if (status >= 500 && status !== 503)
    list.failed('largest-text', `${spec.textBytesMax} bytes are answered with ${status}${memory}`);
  else list.ok('largest-text', `${spec.textBytesMax} bytes are answered with ${status}${memory}`);
}

const LARGE_FACTOR = 3;

/** A frame that cannot be, and no HTTP either. */
const GARBAGE = Buffer.alloc(64, 0xff);

async function garbage(context: CheckContext): Promise<void> {
  const { list, connect, asker, heard, profile, spec, stepMs } = context;
  if (spec.network === 'none') return garbageOverPort(context);
  const connection = connect();
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    connection.onClose(() => {
      isClosed = true;
      resolve();
    });
  });
  connection.onBytes(() => undefined);
  connection.onDrain(() => undefined);
  connection.onOpen(() => connection.write(GARBAGE));
  await Promise.race([closed, heard.until(() => isClosed, stepMs)]);
  connection.close();
  try {
    await asker.ping(stepMs);
  } catch (error) {
    return list.failed('garbage', `after it: ${messageOf(error)}; ${heard.lastWords}`);
  }
  if (isClosed) list.ok('garbage', 'the connection was closed');
  else if (profile.protocol === 'http') list.skipped('garbage', `the connection was left open for ${stepMs} ms`);
  else list.failed('garbage', `the connection was left open for ${stepMs} ms`);
}

/** A port has one client at a time, and its guest cannot close it: the next client must be served. */
async function garbageOverPort({ list, connect, asker, heard, profile, clock, stepMs }: CheckContext): Promise<void> {
  asker.close();
  const connection = connect();
  const over = new Promise<void>((resolve) => connection.onClose(() => resolve()));
  connection.onOpen(() => {
    connection.write(GARBAGE);
    connection.close();
  });
  await over;
  try {
    const next = await openAsker(profile, connect, stepMs, clock);
    next.close();
    list.ok('garbage', 'the next client was served');
  } catch (error) {
    list.failed('garbage', `after it: ${messageOf(error)}; ${heard.lastWords}`);
  }
}

function spins({ heard }: CheckContext): boolean {
  return heard.ready?.guest.operations.includes('spin') === true;
}

function asked(
  context: CheckContext,
  operation: string,
  text: string,
  timeoutMs = context.stepMs,
): Promise<Answer | string> {
  return told(context, context.asker.ask(operation, Buffer.from(text), timeoutMs));
}

/** @returns why there was no answer, if there was none */
async function told({ heard, found }: CheckContext, answering: Promise<Answer>): Promise<Answer | string> {
  try {
    const answer = await answering;
    found.answered += 1;
    return answer;
  } catch (error) {
    return `${messageOf(error)}; ${heard.lastWords}`;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
