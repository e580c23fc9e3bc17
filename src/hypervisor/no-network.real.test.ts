/** A VM that was made with network `none`. */
import { statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Address } from '../fleet/mod.ts';
import { qmpOf } from './kit/mod.ts';
import {
  GuestClient,
  type RealHypervisor,
  realHypervisor,
  runDirectoryOf,
  started,
  usableAccelerators,
} from './testing/mod.ts';

/** Generous: it is only reached when something is wrong. */
const LONG_MS = 60_000;

/** `open`, or the code of the error. */
function knock({ ip, port }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(port, ip);
    socket.once('connect', () => {
      socket.destroy();
      resolve('open');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}

async function noNetwork(real: RealHypervisor, overrides = {}) {
  const spec = await real.spec({ network: 'none', ...overrides });
  return { spec, ...(await started(real, spec)) };
}

describe.each(usableAccelerators())('a VM without a network, under %s', (accelerator) => {
  it('has no network card, answers on its port, and nobody listens at its address', async () => {
    await using real = await realHypervisor();
    const { spec, machine, client } = await noNetwork(real, { accelerator });
    expect(await client.request('upper', 'hello', LONG_MS)).toBe('HELLO');
    expect(await qmpOf(machine)('query-rx-filter')).toEqual([]);
    expect(await knock(spec.address)).toBe('ECONNREFUSED');
    const text = 'größte '.repeat(7_000);
    expect(await client.request('upper', text, LONG_MS)).toBe(text.toUpperCase());
  });

  it('reports while it computes, and stops cleanly', async () => {
    await using real = await realHypervisor();
    const { machine, client } = await noNetwork(real, { accelerator });
    const gone = new Promise((resolve) => machine.onExit(resolve));
    const slow = client.request('spin', '700', LONG_MS);
    machine.writeConsole('stop\n');
    expect(await slow).toBe('spun 700');
    expect(await gone).toMatchObject({ exitCode: 67 });
  });
});

describe('a VM without a network', () => {
  it('is known as such to whoever adopts it, and sends the replies that were kept for it', async () => {
    await using real = await realHypervisor();
    const { spec, machine, client } = await noNetwork(real);
    const text = Buffer.from('kept');
    const lost = client.ask('upper', text, LONG_MS, Buffer.from('a token'));
    client.close();
    await expect(lost).rejects.toMatchObject({ code: 'LINK_LOST' });
    await machine.release();
    const later = real.again();
    const found = await later.find(spec.vm);
    if (found?.kind !== 'running') throw new Error('the VM runs');
    expect(found.manifest.spec).toMatchObject({ network: 'none' });
    expect(found.manifest.version).toBe(2);
    await later.adopt(found.manifest);
    const again = await GuestClient.open(later.connect(spec), LONG_MS);
    expect(Buffer.from((await again.ask('upper', text, LONG_MS, Buffer.from('a token'))).payload).toString()).toBe(
      'KEPT',
    );
  });

  it('serves one client at a time: another one waits until the first is gone', async () => {
    await using real = await realHypervisor();
    const { spec, client } = await noNetwork(real);
    const second = GuestClient.open(real.hypervisor.connect(spec), LONG_MS);
    let isOpen = false;
    void second.then(() => {
      isOpen = true;
    });
    expect(await client.request('upper', 'first', LONG_MS)).toBe('FIRST');
    expect(isOpen).toBe(false);
    client.close();
    expect(await (await second).request('upper', 'second', LONG_MS)).toBe('SECOND');
  });

  it('goes on when its client sends what is no frame, and serves the next one', async () => {
    await using real = await realHypervisor();
    const { spec, client } = await noNetwork(real);
    client.writeRaw(Buffer.alloc(64, 0xff));
    client.close();
    const next = await GuestClient.open(real.hypervisor.connect(spec), LONG_MS);
    expect(await next.request('upper', 'next', LONG_MS)).toBe('NEXT');
  });

  it('is not harmed by many who come and go while it computes', async () => {
    await using real = await realHypervisor();
    const { spec, machine, client } = await noNetwork(real);
    const slow = client.ask('spin', Buffer.from('2000'), LONG_MS).catch(() => undefined);
    client.close();
    await slow;
    for (let round = 0; round < 100; round++) {
      const one = real.hypervisor.connect(spec);
      const over = new Promise<void>((resolve) => one.onClose(() => resolve()));
      // Some are gone before they are heard.
      if (round % 3 === 0) one.close();
      one.onOpen(() => one.close());
      await over;
    }
    const next = await GuestClient.open(real.hypervisor.connect(spec), LONG_MS);
    expect(await next.request('upper', 'still here', LONG_MS)).toBe('STILL HERE');
    expect(await machine.isRunning()).toBe(true);
  });

  it('has a socket that only its owner can reach', async () => {
    await using real = await realHypervisor();
    const { spec } = await noNetwork(real);
    expect(statSync(runDirectoryOf(real, spec.vm)).mode & 0o777).toBe(0o700);
  });
});
