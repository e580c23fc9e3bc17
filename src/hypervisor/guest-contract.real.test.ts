import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { exampleFrames, readContract } from './testing/guest-contract.ts';
import { heard, realHypervisor } from './testing/mod.ts';

it('the example of docs/guest-contract.md is what a guest says, byte by byte', async () => {
  await using real = await realHypervisor();
  const contract = readContract();
  const frames = exampleFrames(contract);
  const spec = await real.spec();
  const machine = await real.hypervisor.prepare(spec);
  const reported = heard(machine, ' served=0\n');
  await machine.start();
  expect(shape(await reported, `${spec.address.ip}:${spec.address.port}`)).toEqual(
    [...contract.text.matchAll(/^shoal1 (?:ready|status) .*$/gm)].map(([line]) => shape(line, '127.0.10.1:9000')[0]),
  );

  const socket = connect({ host: spec.address.ip, port: spec.address.port, noDelay: true });
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  const expected = Buffer.concat(frames.filter(({ fromGuest }) => fromGuest).map(({ bytes }) => bytes));
  let received = Buffer.alloc(0);
  const all = new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error(`the guest hung up after ${received.toString('hex')}`)));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.length >= expected.length) resolve();
    });
  });
  for (const { fromGuest, bytes } of frames) if (!fromGuest) socket.write(bytes);
  await all;
  expect(received.toString('hex')).toBe(expected.toString('hex'));

  const ended = new Promise((resolve) => machine.onExit(resolve));
  const bye = heard(machine, 'shoal1 bye reason=stop\n');
  machine.writeConsole('stop\n');
  await bye;
  expect(await ended).toMatchObject({ exitCode: 67 });
});

/** The lines of the contract, without the figures that differ from run to run. */
function shape(console: string, address: string): readonly string[] {
  const lines = console.split('\n').filter((line) => line.startsWith('shoal1 '));
  return lines.map((line) => line.replace(address, 'ADDRESS').replace(/ (cpu|ram)=[\d.]+/g, ' $1=N'));
}
