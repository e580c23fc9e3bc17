import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  type Attributes,
  type Context,
  type ContextManager,
  context as contexts,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api';

/** A span that has ended. */
export interface EndedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** The id of its parent; undefined for the first of a trace. */
  readonly parentId: string | undefined;
  readonly attributes: Attributes;
  readonly error: string | undefined;
}

/** A context manager as OpenTelemetry's own for Node, which follows promises, timers and callbacks. */
class AsyncContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () => run.call(self, ...args));
  }

  bind<T>(_context: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

/** From now on contexts are followed on this thread, as in a program that has set OpenTelemetry up. */
export function followContexts(): void {
  contexts.setGlobalContextManager(new AsyncContexts());
}

/** A tracer that tells of each span as it ends. */
export function recordingTracer(ended: (span: EndedSpan) => void): Tracer {
  const startSpan = (name: string, { attributes = {} }: SpanOptions = {}, context = contexts.active()): Span => {
    const parent = trace.getSpanContext(context);
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
    const spanId = randomBytes(8).toString('hex');
    let error: string | undefined;
    const span: Span = {
      spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
      setAttribute: () => span,
      setAttributes: () => span,
      addEvent: () => span,
      addLink: () => span,
      addLinks: () => span,
      setStatus: (status) => {
        error = status.message;
        return span;
      },
      updateName: () => span,
      end: () => ended({ name, traceId, spanId, parentId: parent?.spanId, attributes, error }),
      isRecording: () => true,
      recordException: () => undefined,
    };
    return span;
  };
  // The interface has three forms of this call: with two, three or four arguments.
  const startActiveSpan = (name: string, ...rest: unknown[]) => {
    // The last argument is the function, before it may stand options and a context.
    const run = rest.at(-1) as (span: Span) => unknown;
    const [options, context = contexts.active()] = rest.slice(0, -1) as [SpanOptions?, Context?];
    const span = startSpan(name, options, context);
    return contexts.with(trace.setSpan(context, span), () => run(span));
  };
  // All three forms.
  return { startSpan, startActiveSpan: startActiveSpan as Tracer['startActiveSpan'] };
}
