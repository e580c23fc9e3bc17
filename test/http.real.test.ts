/** The HTTP front door before real VMs: the same outcomes as over NATS, whatever dies. */
import { execFile } from 'node:child_process';
import { Agent, request } from 'node:http';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { signalProcess } from '../src/process/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';
import { listenersOf } from './driver/leftovers.ts';
import { qemusOf } from './driver/processes.ts';

const HOST = 'front';
const run = promisify(execFile);

async function started(flags: readonly string[] = []): Promise<{ fleet: TestFleet; url: string }> {
  const fleet = await TestFleet.start({ flags: ['--http', '0', '--host', HOST, ...flags] });
  onTestFinished(() => fleet.stop().then(() => undefined));
  return { fleet, url: urlOf(fleet) };
}

function urlOf({ ready }: TestFleet): string {
  const { http } = ready;
  if (http === undefined) throw new Error('the ready line names the front door');
  return http;
}

const post = (url: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers });

test('curl, and one that waits for leave to send a long text', async () => {
  const { url } = await started();
  expect((await run('curl', ['-sS', '-d', 'a text', url])).stdout).toBe('A TEXT');
  expect((await run('curl', ['-sS', '-d', 'a text', `${url}/reverse`])).stdout).toBe('txet a');
  const long = 'x'.repeat(100_000);
  const curl = run('curl', ['-sS', '-H', 'Transfer-Encoding: chunked', '--data-binary', '@-', url], {
    maxBuffer: 1_000_000,
  });
  curl.child.stdin?.end(long);
  expect((await curl).stdout).toBe(long.toUpperCase());
  const failed = await run('curl', ['-sS', '-w', '%{http_code}', '-d', 'x', `${url}/nope`]);
  expect(failed.stdout).toBe('unknown operation "nope"\n404');
  expect((await run('curl', ['-sS', `${url}/healthz`])).stdout).toBe(`host ${HOST}: serving, ready VMs: 1\n`);
});

test('without the flag nothing of Shoal listens, and with a port alone it does on loopback', async () => {
  const { fleet, url } = await started();
  expect(listenersOf(fleet.up.pid)).toEqual([`127.0.0.1:${new URL(url).port}`]);
  await using silent = await TestFleet.start();
  expect(silent.ready.http).toBeUndefined();
  expect(listenersOf(silent.up.pid)).toEqual([]);
});

test('requests over HTTP and over NATS share the VMs, and R3 starts more for both', async () => {
  const { fleet, url } = await started();
  const spin = { 'Shoal-Deadline-Ms': '20000' };
  const over = Array.from({ length: 6 }, () => post(`${url}/spin`, '400', spin));
  const sent = fleet.run('send', ['--op', 'spin', '400']);
  const replies = await Promise.all(over);
  expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
  expect(new Set(replies.map(({ headers }) => headers.get('shoal-vm'))).size).toBeGreaterThan(1);
  expect((await sent).exitCode).toBe(0);
});

test('a repeat with its id joins the first or gets its reply, over NATS as well', async () => {
  const { fleet, url } = await started();
  const id = { 'Shoal-Request-Id': 'one', 'Shoal-Deadline-Ms': '20000' };
  const [first, joined] = await Promise.all([post(`${url}/spin`, '300', id), post(`${url}/spin`, '300', id)]);
  expect([first.status, joined.status]).toEqual([200, 200]);
  expect(await (await post(`${url}/spin`, '300', id)).text()).toBe(await first.text());
  expect((await post(`${url}/spin`, '301', id)).status).toBe(400);
  const { vms } = await fleet.snapshot();
  expect(vms.reduce((sum, { served }) => sum + served, 0)).toBeLessThanOrEqual(2);
});

test('a VM that is killed with a request is tried on another, and the client gets one answer', async () => {
  const { fleet, url } = await started(['--min', '2']);
  await fleet.until('two VMs are ready', ({ vms }) => vms.filter(({ state }) => state === 'ready').length === 2);
  const under = Array.from({ length: 4 }, () => post(`${url}/spin`, '500', { 'Shoal-Deadline-Ms': '20000' }));
  await fleet.until('requests are in work', ({ vms }) => vms.some((vm) => vm.in_flight > 0));
  const [victim] = qemusOf(fleet);
  if (victim !== undefined) signalProcess(victim.identity, 'SIGKILL');
  const answers = await Promise.all(under);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

test('one connection is used again for request after request', async () => {
  const { url } = await started();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (let n = 0; n < 50; n++) {
    const text = await new Promise<string>((resolve, reject) => {
      const sent = request(url, { method: 'POST', agent }, (response) => {
        ports.add(response.socket.localPort);
        let body = '';
        response.on('data', (piece) => (body += String(piece)));
        response.on('end', () => resolve(body));
      });
      sent.on('error', reject);
      sent.end(`text ${n}`);
    });
    expect(text).toBe(`TEXT ${n}`);
  }
  expect(ports.size).toBe(1);
});

test('Shoal that is killed is back at the same port if it was named, and serves', async () => {
  const { fleet } = await started();
  const port = new URL(urlOf(fleet)).port;
  await fleet.kill();
  const named = await TestFleet.start({ data: fleet.data, pool: fleet.pool, flags: ['--http', port] });
  onTestFinished(() => named.stop().then(() => undefined));
  expect(urlOf(named)).toBe(`http://127.0.0.1:${port}`);
  expect(await (await post(urlOf(named), 'again')).text()).toBe('AGAIN');
});

test('a host that is cordoned says so to whoever asks for its health, and still serves', async () => {
  const { fleet, url } = await started();
  expect((await fleet.run('cordon', [HOST])).exitCode).toBe(0);
  await eventually('it is told', async () => ((await fetch(`${url}/healthz`)).status === 503 ? true : undefined));
  expect(await (await post(url, 'still')).text()).toBe('STILL');
});

test('a port that is taken ends the start with an error that names it, and leaves nothing', async () => {
  const { url } = await started();
  const { port } = new URL(url);
  await expect(TestFleet.start({ flags: ['--http', port] })).rejects.toThrow(
    `127.0.0.1:${port}: another program has it`,
  );
});
