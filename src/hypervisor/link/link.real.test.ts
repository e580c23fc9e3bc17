import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Probe, probe } from '../../actors/kit/mod.ts';
import { type ActorSystem, createSystem, type Ref } from '../../actors/mod.ts';
import type { LinkEvent, LinkMessage, LinkTarget } from '../../fleet/mod.ts';
import type { GuestConnection, Machine, VmNetwork } from '../port.ts';
import { GuestClient, patience, type RealHypervisor, realHypervisor } from '../testing/mod.ts';
import { FrameType } from './frame.ts';
import { FrameWriter } from './frame-writer.ts';
import { link } from './link.ts';

/** Generous: it is only reached when something is wrong. */
const LONG_MS = 60_000;

interface Guest {
  readonly machine: Machine;
  readonly target: LinkTarget;
}

async function guest(real: RealHypervisor, network: VmNetwork): Promise<Guest> {
  const spec = await real.spec({ network });
  const machine = await real.hypervisor.prepare(spec);
  let said = '';
  const ready = new Promise<void>((resolve) => {
    machine.onConsole((bytes) => {
      said += Buffer.from(bytes).toString('latin1');
      if (said.includes('shoal1 ready')) resolve();
    });
  });
  await machine.start();
  await ready;
  return { machine, target: spec };
}

interface Linked extends AsyncDisposable {
  readonly system: ActorSystem;
  readonly link: Ref<LinkMessage>;
  readonly owner: Probe<LinkEvent>;
  /** The connection that is open now. */
  connection(): GuestConnection;
}

async function openLink(real: RealHypervisor, { target }: Guest): Promise<Linked> {
  const system = createSystem();
  const owner = probe<LinkEvent>(system, { patience });
  let current: GuestConnection | undefined;
  const connect = (): GuestConnection => {
    current = real.hypervisor.connect(target);
    return current;
  };
  const ref = system.spawn(link(target, owner.ref, { connect }));
  await owner.expect({ kind: 'link-ready' });
  const connection = (): GuestConnection => {
    if (current === undefined) throw new Error('no connection was opened');
    return current;
  };
  return { system, link: ref, owner, connection, [Symbol.asyncDispose]: () => system.shutdown() };
}

function request(id: number, payload: string, op = 'upper'): LinkMessage {
  return { kind: 'request', id, op, token: Buffer.from(`token-${id}`), payload: Buffer.from(payload) };
}

describe.each(['user', 'none'] as const)('link, to a real guest with network %s', (network) => {
  it('carries many requests at once, small ones and large ones, each to its own reply', async () => {
    await using real = await realHypervisor();
    await using linked = await openLink(real, await guest(real, network));
    const COUNT = 10_000;
    const texts = new Map(
      Array.from({ length: COUNT }, (_, id) => [id, id % 50 === 0 ? `big ${id} `.repeat(2_000) : `text ${id}`]),
    );
    for (const [id, text] of texts) linked.link.tell(request(id, text));
    for (let answered = 0; answered < COUNT; answered++) {
      const event = await linked.owner.expect();
      // A guest that is asked for more than it holds says so; nothing is lost.
      if (event.kind === 'link-error') expect(event.status).toBe(503);
      else if (event.kind === 'link-reply')
        expect(Buffer.from(event.payload).toString()).toBe(texts.get(event.id)?.toUpperCase());
      else throw new Error(`unexpected ${event.kind}`);
    }
  });

  it('passes on what the guest refuses, and cancellations', async () => {
    await using real = await realHypervisor();
    await using linked = await openLink(real, await guest(real, network));
    linked.link.tell(request(1, 'x', 'no-such-operation'));
    await linked.owner.expect({ kind: 'link-error', id: 1, status: 404 });
    linked.link.tell({
      kind: 'request',
      id: 2,
      op: 'upper',
      token: Buffer.from('t'),
      payload: Buffer.from([0xff, 0xfe]),
    });
    await linked.owner.expect({ kind: 'link-error', id: 2, status: 400 });
    linked.link.tell(request(3, '60000', 'spin'));
    linked.link.tell({ kind: 'cancel', id: 3 });
    await linked.owner.expect({ kind: 'link-error', id: 3, status: 499 });
  });

  it('connects again after its connection was lost, and goes on', async () => {
    await using real = await realHypervisor();
    await using linked = await openLink(real, await guest(real, network));
    linked.link.tell(request(1, '60000', 'spin'));
    // Written at once, or after the loss: either is told, and the link comes back.
    await Promise.resolve();
    linked.connection().close();
    await linked.owner.fishFor({ kind: 'link-lost', sent: [1], unsent: [] });
    await linked.owner.fishFor({ kind: 'link-ready' });
    linked.link.tell(request(2, 'back'));
    await linked.owner.fishFor({ kind: 'link-reply', id: 2 });
  });

  it('closed and opened under load: no request is answered twice, and no answer is of other bytes than its own request', async () => {
    await using real = await realHypervisor();
    await using linked = await openLink(real, await guest(real, network));
    const COUNT = 3_000;
    const COUNT_MAX = 30_000;
    // Long enough that frames are cut by the closes.
    const textOf = (id: number): string => `${id} ${'abcdefgh'.repeat((id % 97) * 8)}`;
    const answers = new Map<number, number>();
    const lost = new Set<number>();
    const heard = (id: number, payload: Uint8Array): void => {
      expect(Buffer.from(payload).toString()).toBe(textOf(id).toUpperCase());
      answers.set(id, (answers.get(id) ?? 0) + 1);
    };
    const open = new Set<number>();
    let next = 1;
    let closes = 0;
    let isReady = true;
    let orphaned = 0;
    // Where the guest is starved, all that was on its way may be lost with each connection.
    const isEnough = (): boolean => next > COUNT && (orphaned > 0 || next > COUNT_MAX);
    while (!isEnough() || open.size > 0) {
      while (isReady && open.size < 60 && !isEnough()) {
        open.add(next);
        linked.link.tell(request(next, textOf(next)));
        next += 1;
      }
      const event = await linked.owner.expect();
      if (event.kind === 'link-ready') isReady = true;
      else if (event.kind === 'link-orphaned-reply') {
        const id = Number(Buffer.from(event.token).toString().slice('token-'.length));
        expect(lost.has(id)).toBe(true);
        orphaned += 1;
        heard(id, event.payload);
      } else if (event.kind === 'link-lost') {
        isReady = false;
        for (const id of [...event.sent, ...event.unsent]) {
          lost.add(id);
          open.delete(id);
        }
      } else if (event.kind === 'link-reply') {
        heard(event.id, event.payload);
        open.delete(event.id);
        if (event.id % 100 !== 0 || !isReady) continue;
        closes += 1;
        linked.connection().close();
      } else throw new Error(`unexpected ${event.kind}`);
    }
    expect([...answers].filter(([, times]) => times > 1)).toEqual([]);
    expect(closes).toBeGreaterThan(3);
    // What was neither lost nor answered would be a request without an end.
    for (let id = 1; id < next; id++) expect(answers.has(id) || lost.has(id)).toBe(true);
    // What was on its way came to the guest, and is answered on the next connection.
    expect(orphaned).toBeGreaterThan(0);
  });

  it('reports the death of its VM, and tries to reach it for as long as it is not closed', async () => {
    await using real = await realHypervisor();
    const target = await guest(real, network);
    await using linked = await openLink(real, target);
    linked.link.tell(request(1, '60000', 'spin'));
    // What is too large the guest refuses at once, so the one before it has come to it as well.
    linked.link.tell(request(2, 'x'.repeat(65_537)));
    await linked.owner.expect({ kind: 'link-error', id: 2, status: 413 });
    target.machine.signal('SIGKILL');
    await linked.owner.expect({ kind: 'link-lost', sent: [1] });
  });
});

describe.each(['user', 'none'] as const)('random and damaged bytes to a real guest with network %s', (network) => {
  it('harm no other connection, and the guest lives on', async () => {
    await using real = await realHypervisor();
    const { target } = await guest(real, network);
    // A port has one client at a time: it is asked in between.
    const open = (): Promise<GuestClient> => GuestClient.open(real.hypervisor.connect(target), LONG_MS);
    const other = network === 'user' ? await open() : undefined;
    const valid = fc
      .record({
        id: fc.nat(),
        op: fc.constantFrom('upper', 'sha256', 'nothing'),
        token: fc.uint8Array({ maxLength: 40 }),
        payload: fc.uint8Array({ maxLength: 300 }),
      })
      .map(({ id, op, token, payload }) => frame(id, op, token, payload));
    const damaged = fc
      .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }))
      .map(([bytes, changes]) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) copy[at % copy.length] = value;
        return copy;
      });
    const http = fc
      .constantFrom(
        'GET / HTTP/1.1\r\n\r\n',
        'POST /upper HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n',
        'POST / HTTP/1.1\r\n\r\n',
      )
      .map((text) => Buffer.from(text));
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(valid, damaged, http, noise), { minLength: 1, maxLength: 8 }),
        async (parts) => {
          await throwAt(real.hypervisor.connect(target), Buffer.concat(parts));
          const asker = other ?? (await open());
          expect(await asker.request('upper', 'unharmed', LONG_MS)).toBe('UNHARMED');
          if (other === undefined) asker.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});

function frame(id: number, op: string, token: Uint8Array, payload: Uint8Array): Buffer {
  const writer = new FrameWriter();
  writer.append(FrameType.request, id, 0, Buffer.from(op), token, payload);
  return Buffer.concat(writer.take());
}

/** Writes the bytes on a connection of their own and ends it; whatever comes back, nobody looks at it. */
function throwAt(connection: GuestConnection, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    connection.onBytes(() => undefined);
    connection.onClose(() => resolve());
    connection.onOpen(() => {
      connection.write(bytes);
      // Only once it has been handed on: a port's bytes are lost with their connection while they are still here.
      setImmediate(() => connection.close());
    });
  });
}
