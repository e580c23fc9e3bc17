import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RealHypervisor, realHypervisor, started, TEST_GUEST_IMAGE } from './testing/mod.ts';

/** How QEMU's user network shows a guest the host's loopback, 127.0.0.1, and a name server. */
const HOST_FROM_INSIDE = '10.0.2.2';
const NAME_SERVER_FROM_INSIDE = '10.0.2.3';

/** Generous: it is only reached when something is wrong. */
const LONG_MS = 30_000;

/** Somebody on the host's loopback who takes connections, and counts them. */
class Neighbour implements AsyncDisposable {
  readonly #connected = Promise.withResolvers<void>();
  readonly #server = createServer((socket) => {
    this.connections += 1;
    this.#connected.resolve();
    socket.on('error', () => undefined).destroy();
  });
  /** The kernel completes a connection before this process hears of it. */
  readonly connected = this.#connected.promise;
  connections = 0;

  /** @returns its port */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error(`not an address of TCP: ${address}`);
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function portThatWasFree(): Promise<number> {
  await using neighbour = new Neighbour();
  return await neighbour.listen();
}

/** A VM where a guest could reach it, if it could reach anything: on the host's 127.0.0.1. */
async function startedNextDoor(real: RealHypervisor): Promise<string> {
  const port = await portThatWasFree();
  await started(real, await real.spec({ address: { id: 200, ip: '127.0.0.1', port } }));
  return `${HOST_FROM_INSIDE}:${port}`;
}

/** QEMU with the arguments that it is given, but for the one that shuts the guest in. */
function openedQemu(folder: string): string {
  const path = join(folder, 'opened-qemu');
  writeFileSync(path, `#!/bin/bash\nexec qemu-system-x86_64 "\${@/restrict=on/restrict=off}"\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('a guest that tries to get out', () => {
  it('reaches nobody: not the host, not another VM, nothing that QEMU shows it', async () => {
    await using real = await realHypervisor({ image: TEST_GUEST_IMAGE });
    await using neighbour = new Neighbour();
    const host = `${HOST_FROM_INSIDE}:${await neighbour.listen()}`;
    const other = await startedNextDoor(real);
    const { client } = await started(real, await real.spec());
    for (const address of [host, other, `${HOST_FROM_INSIDE}:9000`, `${NAME_SERVER_FROM_INSIDE}:53`]) {
      const outcome = await client.request('dial', address, LONG_MS);
      expect([address, outcome]).toEqual([address, expect.stringMatching(/^(refused|nothing)$/)]);
    }
    expect(neighbour.connections).toBe(0);
    expect(await client.request('upper', 'but is reached itself', LONG_MS)).toBe('BUT IS REACHED ITSELF');
  });

  it('would reach the host and another VM without `restrict=on`: what is said above could be otherwise', async () => {
    await using shut = await realHypervisor({ image: TEST_GUEST_IMAGE });
    await using opened = await realHypervisor({ image: TEST_GUEST_IMAGE, qemu: { qemu: openedQemu(shut.folder) } });
    await using neighbour = new Neighbour();
    const host = `${HOST_FROM_INSIDE}:${await neighbour.listen()}`;
    const other = await startedNextDoor(shut);
    const { client } = await started(opened, await opened.spec());
    expect(await client.request('dial', host, LONG_MS)).toBe('connected');
    await neighbour.connected;
    expect(await client.request('dial', other, LONG_MS)).toBe('connected');
  });
});
