import { ErrorCode, Events, type NatsConnection, NatsError } from 'nats';
import { ShoalError } from '../errors.ts';
import { quote } from './quote.ts';

/** An operation that the NATS server refused. */
export interface PermissionViolation {
  readonly operation: 'publish' | 'subscription';
  readonly subject: string;
}

type Listener = (violation: PermissionViolation) => void;

/** nats.js never removes a reader of status events, so each connection gets a single one. */
const listenersOf = new WeakMap<NatsConnection, Set<Listener>>();

/** Calls `listener` for each violation on this connection. @returns a function that removes the listener */
export function onPermissionViolation(nc: NatsConnection, listener: Listener): () => void {
  let listeners = listenersOf.get(nc);
  if (listeners === undefined) {
    listeners = new Set();
    listenersOf.set(nc, listeners);
    void read(nc, listeners);
  }
  const known = listeners;
  known.add(listener);
  return () => known.delete(listener);
}

async function read(nc: NatsConnection, listeners: ReadonlySet<Listener>): Promise<void> {
  for await (const { type, permissionContext } of nc.status()) {
    if (type !== Events.Error || permissionContext === undefined) continue;
    const { subject } = permissionContext;
    const operation = operationOf(permissionContext.operation);
    for (const listener of [...listeners]) listener({ operation, subject });
  }
}

/** The violation behind an error of nats.js; undefined for any other error. */
export function violationOf(error: unknown): PermissionViolation | undefined {
  if (!(error instanceof NatsError) || error.code !== ErrorCode.PermissionsViolation) return undefined;
  const { operation = '', subject = '' } = error.permissionContext ?? {};
  return { operation: operationOf(operation), subject };
}

/** NATS_FORBIDDEN with the remedy. @param server its address, without credentials */
export function forbidden({ operation, subject }: PermissionViolation, server: string, cause?: unknown): ShoalError {
  const verb = operation === 'publish' ? 'publish to' : 'subscribe to';
  const pattern = patternOf(subject);
  const isReply = operation === 'publish' && pattern !== subject;
  const effect = isReply ? ', where somebody waits for a reply' : '';
  const remedy = isReply ? `${quote(pattern)}, or set allow_responses` : quote(pattern);
  return new ShoalError(
    'NATS_FORBIDDEN',
    `The NATS server at ${server} does not let this user ${verb} ${quote(subject)}${effect}. ` +
      `In the server's configuration, allow the user to ${verb} ${remedy}`,
    { cause, details: { server, operation, subject: quote(subject) } },
  );
}

/**
 * The pattern that a permission for this subject needs. Subjects of Shoal and of the server stand for themselves; all others are reply
 * subjects, made up for one request, and share their first token.
 */
export function patternOf(subject: string): string {
  if (/^(shoal\.|\$)/.test(subject)) return subject;
  const dot = subject.indexOf('.');
  return dot === -1 ? subject : `${subject.slice(0, dot)}.>`;
}

function operationOf(said: string): PermissionViolation['operation'] {
  return said === 'subscription' ? said : 'publish';
}
