import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { testKit } from '../kit/mod.ts';
import { type Behaviour, createSystem, type Ref } from '../mod.ts';
import { openTelemetry } from './mod.ts';
import { type EndedSpan, followContexts, recordingTracer } from './testing/spans.ts';

beforeAll(followContexts);

function tracedKit(options: { roots?: boolean; seed?: number } = {}) {
  const spans: EndedSpan[] = [];
  const tracer = recordingTracer((span) => spans.push(span));
  const { seed, ...more } = options;
  const kit = testKit({ tracing: openTelemetry({ tracer, ...more }), ...(seed === undefined ? {} : { seed }) });
  /** Runs a function in a span, as the handler of a request would. */
  const request = <R>(name: string, run: () => R): R =>
    tracer.startActiveSpan(name, (span) => {
      const result = run();
      span.end();
      return result;
    });
  /** Each span beside its parent, by their names. */
  const links = (): string[] => {
    const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
    return spans.map(({ name, parentId = '' }) => `${names.get(parentId) ?? '-'} > ${name}`).toSorted();
  };
  return { kit, spans, request, links };
}

describe('openTelemetry', () => {
  it('makes the span of a sender the parent of the handling, from actor to actor', async () => {
    const { kit, spans, request, links } = tracedKit();
    await using _ = kit;
    const b = kit.system.spawn<{ readonly kind: 'hello' }>(() => () => undefined, { name: 'b' });
    const a = kit.system.spawn<string>(() => () => void b.tell({ kind: 'hello' }), { name: 'a' });
    request('GET', () => a.tell('go'));
    await kit.settle();
    expect(links()).toEqual(['- > GET', 'GET > process /a', 'process /a > process /b']);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(spans.find(({ name }) => name === 'process /b')?.attributes).toEqual({
      'messaging.system': 'shoal',
      'messaging.operation.type': 'process',
      'messaging.destination.name': '/b',
      'shoal.sender': '/a',
      'shoal.message.kind': 'hello',
    });
  });

  it('keeps traces apart that are handled in one turn, and goes on after an await', async () => {
    const { kit, spans, request } = tracedKit();
    await using _ = kit;
    const b = kit.system.spawn<string>(() => () => undefined, { name: 'b' });
    const a = kit.system.spawn<string>(
      () => async (text) => {
        await new Promise((resolve) => setImmediate(resolve));
        b.tell(text);
      },
      { name: 'a' },
    );
    for (const name of ['one', 'two']) request(name, () => a.tell(name));
    await expect.poll(() => spans.length).toBe(6);
    for (const name of ['one', 'two']) {
      const traceId = spans.find((span) => span.name === name)?.traceId;
      const inTrace = spans.filter((span) => span.traceId === traceId).map((span) => span.name);
      expect(inTrace.toSorted()).toEqual([name, 'process /a', 'process /b'].toSorted());
    }
  });

  it('links an ask, its reply as a message, the outcome of a pipe and a message that was put aside', async () => {
    const { kit, request, links } = tracedKit();
    await using _ = kit;
    const server = kit.system.spawn<Ref<string>>(() => (replyTo) => void replyTo.tell('reply'), { name: 'server' });
    const client = kit.system.spawn<string>(
      (context) => {
        let isOpen = false;
        return (message) => {
          if (message === 'ask')
            context.ask(
              server,
              (replyTo: Ref<string>) => replyTo,
              ({ ok }) => `ok ${ok}`,
              1_000,
            );
          if (message === 'pipe')
            context.pipe(
              Promise.resolve('piped'),
              (text) => text,
              () => 'failed',
            );
          if (message === 'later' && !isOpen) context.stash(message);
          if (message !== 'open') return;
          isOpen = true;
          context.unstashAll();
        };
      },
      { name: 'client' },
    );
    request('ask', () => client.tell('ask'));
    await kit.settle();
    request('pipe', () => client.tell('pipe'));
    request('later', () => client.tell('later'));
    client.tell('open');
    await kit.settle();
    expect(links()).toEqual(
      [
        '- > ask',
        '- > later',
        '- > pipe',
        'ask > process /client',
        'process /client > process /server',
        'process /server > process /client',
        'pipe > process /client',
        'process /client > process /client',
        // Once as it is put aside, and once as it is handled.
        'later > process /client',
        'later > process /client',
      ].toSorted(),
    );
  });

  it('handles a message from outside of any span without one, whoever has caused the turn', async () => {
    const { kit, spans, request } = tracedKit();
    await using _ = kit;
    const active: unknown[] = [];
    const b = kit.system.spawn<string>(() => () => void active.push(context.active()), { name: 'b' });
    b.tell('outside');
    request('GET', () => kit.system.spawn<string>(() => () => undefined).tell('inside'));
    const timed = kit.system.spawn<string>(
      (own) => {
        own.after(10, 'tick');
        return () => void active.push(trace.getSpanContext(context.active()));
      },
      { name: 'timed' },
    );
    await kit.advance(10);
    expect(active).toEqual([ROOT_CONTEXT, undefined]);
    expect(spans.map(({ name }) => name)).not.toContain(`process ${timed.path}`);
    expect(spans).toHaveLength(2);
  });

  it('begins a trace with such a message if asked to', async () => {
    const { kit, links } = tracedKit({ roots: true });
    await using _ = kit;
    kit.system.spawn<string>(() => () => undefined, { name: 'a' }).tell('go');
    await kit.settle();
    expect(links()).toEqual(['- > process /a']);
  });

  it('keeps the context of an offer that waits for room', async () => {
    const { kit, links, request } = tracedKit();
    await using _ = kit;
    const slow = kit.system.spawn<string>(() => () => undefined, { name: 'slow', capacity: 1 });
    slow.tell('first');
    const offered = request('offer', () => kit.system.offer(slow, 'second'));
    await kit.settle();
    expect(await offered).toBe(true);
    expect(links()).toEqual(['- > offer', 'offer > process /slow']);
  });

  it.each<[string, Behaviour<string>]>([
    [
      'throws',
      () => () => {
        throw new Error('boom');
      },
    ],
    ['rejects', () => () => Promise.reject(new Error('boom'))],
  ])('marks the span of a handler that %s, which fails its actor as ever', async (_what, behaviour) => {
    const { kit, spans, request } = tracedKit();
    await using _ = kit;
    const ref = kit.system.spawn(behaviour, { name: 'a' });
    request('GET', () => ref.tell('go'));
    await kit.settle();
    expect(spans.map(({ name, error }) => [name, error])).toEqual([
      ['GET', undefined],
      ['process /a', 'boom'],
    ]);
    expect(kit.failures).toMatchObject([{ path: '/a', error: { message: 'boom' } }]);
  });

  it('keeps the sender of a dead letter', async () => {
    const { kit, request } = tracedKit();
    await using _ = kit;
    const ref = kit.system.spawn<string>(
      () => async () => {
        await kit.system.stop(ref, 0);
      },
      { name: 'a' },
    );
    const sender = kit.system.spawn<string>(
      () => () => {
        for (const text of ['one', 'two']) ref.tell(text);
      },
      { name: 'sender' },
    );
    request('GET', () => sender.tell('go'));
    await kit.settle();
    expect(kit.system.deadLetters.latest()).toMatchObject([{ from: '/sender', to: '/a', message: 'two' }]);
  });

  it('carries a context as a traceparent, and takes no other text', () => {
    const tracing = openTelemetry({ tracer: recordingTracer(() => undefined) });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const carried = tracing.fromText(traceparent);
    expect(carried === undefined ? undefined : tracing.toText(carried)).toBe(traceparent);
    expect(carried === undefined ? undefined : trace.getSpanContext(carried)?.isRemote).toBe(true);
    expect(['', 'nonsense', traceparent.slice(1)].map((text) => tracing.fromText(text))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(tracing.toText(ROOT_CONTEXT)).toBeUndefined();
  });

  it('can be given to a system before its first actor', async () => {
    const spans: string[] = [];
    const tracer = recordingTracer(({ name }) => spans.push(name));
    const system = createSystem();
    system.tracing = openTelemetry({ tracer, spanName: ({ message }) => `handle ${message}` });
    const ref = system.spawn<string>((own) => () => own.exit());
    tracer.startActiveSpan('GET', () => ref.tell('it'));
    await system.ended(ref);
    expect(spans).toEqual(['handle it']);
    await system.shutdown();
  });

  it('leaves withdrawn what was withdrawn, although its cause has a span', async () => {
    const { kit, request } = tracedKit();
    await using _ = kit;
    const target = kit.system.spawn<never>(() => () => undefined);
    const gate = Promise.withResolvers<void>();
    const seen: string[] = [];
    const ref = kit.system.spawn<string>((own) => {
      own.watch(target, () => 'ended');
      return async (message) => {
        seen.push(message);
        if (message !== 'unwatch') return;
        await gate.promise;
        own.unwatch(target);
      };
    });
    ref.tell('unwatch');
    await kit.settle();
    await request('DELETE', () => kit.system.stop(target));
    gate.resolve();
    await kit.settle();
    expect(seen).toEqual(['unwatch']);
  });
});
