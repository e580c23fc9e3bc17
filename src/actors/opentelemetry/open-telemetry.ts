import {
  type Attributes,
  type Context,
  context as contexts,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { messageOf } from '../../errors.ts';
import { BOOLEAN, checkOptions, FUNCTION, objectWith, type Rules } from '../checks.ts';
import type { Handling } from '../hooks.ts';
import type { Tracing } from '../tracing.ts';

export interface OpenTelemetryOptions {
  /** Default: `trace.getTracer('shoal/actors')`, that is, the provider that the program has registered. */
  readonly tracer?: Tracer;
  /** Whether a message that was sent outside of any span begins a trace; default false: it is handled without a span. */
  readonly roots?: boolean;
  /** The name of the span in which an actor handles a message; default: `process` and the actor's path. */
  readonly spanName?: (handling: Handling) => string;
}

const RULES: Rules<OpenTelemetryOptions> = {
  tracer: objectWith('startActiveSpan'),
  roots: BOOLEAN,
  spanName: FUNCTION,
};

const TRACER = 'shoal/actors';
/** `traceparent` of W3C Trace Context: version, trace id, id of the parent, flags. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Spans through messages: the span in which a message is sent is the parent of the span in which it is handled, and
 * that of all messages that its handler sends, also after an `await`. For `createSystem({ tracing: openTelemetry() })`,
 * and on a shard `home.system.tracing = openTelemetry()` at the start of `behaviours`. It uses the tracer provider and
 * the context manager that the program has registered on that thread. Between threads a context crosses as a
 * `traceparent`, without baggage. Messages that an actor gets from its timers have no parent.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Tracing<Context> {
  checkOptions('openTelemetry', options, RULES);
  const { tracer = trace.getTracer(TRACER), roots = false, spanName = defaultName } = options;
  return {
    current() {
      const active = contexts.active();
      return trace.getSpanContext(active) === undefined ? undefined : active;
    },
    within: (context, run) => contexts.with(context ?? ROOT_CONTEXT, run),
    handle(handling, context, handle) {
      if (context === undefined && !roots) return contexts.with(ROOT_CONTEXT, handle);
      const settings = { kind: SpanKind.CONSUMER, attributes: attributesOf(handling) };
      const name = spanName(handling);
      return tracer.startActiveSpan(name, settings, context ?? ROOT_CONTEXT, (span) => endWith(span, handle));
    },
    toText(context) {
      const span = trace.getSpanContext(context);
      if (span === undefined) return undefined;
      return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
    },
    fromText(text) {
      const [, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
      if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
      const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
      return trace.setSpanContext(ROOT_CONTEXT, span);
    },
  };
}

/** Ends the span when the handler has ended, which may return a promise. */
function endWith<R>(span: Span, handle: () => R): R {
  let result: R;
  try {
    result = handle();
  } catch (error) {
    fail(span, error);
    throw error;
  }
  if (!isPromise(result)) {
    span.end();
    return result;
  }
  result.then(
    () => span.end(),
    (error: unknown) => fail(span, error),
  );
  return result;
}

function fail(span: Span, error: unknown): void {
  const message = messageOf(error);
  span.recordException(error instanceof Error ? error : message);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.end();
}

function defaultName({ to }: Handling): string {
  return `process ${to}`;
}

/** By the semantic conventions for messaging, as far as they fit. */
function attributesOf({ from, to, message }: Handling): Attributes {
  const kind = typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined;
  return {
    'messaging.system': 'shoal',
    'messaging.operation.type': 'process',
    'messaging.destination.name': to,
    'shoal.sender': from,
    ...(typeof kind === 'string' ? { 'shoal.message.kind': kind } : {}),
  };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}
