import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect as connectNats, headers as natsHeaders } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import { TestFleet, temporaryFolder } from './driver/fleet.ts';

const run = promisify(execFile);
const BUILD = join(import.meta.dirname, '..', 'includeos', 'build.sh');

/** Every character that the guest contract allows in the name of an operation, and a name of the greatest length. */
const NAMES = ['v2.word_count-1', '._-', `${'long.name_'.repeat(6)}-z09`];

let folder: string;
let fleet: TestFleet;
beforeAll(async () => {
  folder = temporaryFolder();
  const service = join(folder, 'service');
  mkdirSync(service);
  writeFileSync(join(service, 'echo.cpp'), source());
  const image = join(folder, 'echo.elf');
  await run('sh', [BUILD, '--service', service, '--image', image]);
  fleet = await TestFleet.start({ flags: ['--image', image] });
});
afterAll(async () => {
  await fleet?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A service that has them all, each of which replies with the name that it was called by. */
function source(): string {
  return `#include "shoal/service.h"

namespace {

bool echo(const shoal::Request& request, shoal::Reply& reply) { return reply.write(request.operation); }

constexpr shoal::Operation operations[] = {${NAMES.map((name) => `{"${name}", echo}`).join(', ')}};

}  // namespace

const shoal::Service shoal::service = {operations, /*idempotent=*/true};
`;
}

test.each(NAMES)('the operation %s is reached by each way to a fleet', async (name) => {
  const { nats, subject, vms } = fleet.ready;

  const nc = await connectNats({ servers: nats });
  const headers = natsHeaders();
  headers.set('Shoal-Op', name);
  const reply = await nc.request(subject, 'x', { headers, timeout: 30_000 });
  expect(reply.headers?.get('Nats-Service-Error')).toBe('');
  expect(reply.string()).toBe(name);
  await nc.close();

  await using client = await connect({ servers: nats });
  expect(await client.request('x', { op: name })).toMatchObject({ text: name });

  expect(await fleet.run('send', ['--op', name, 'x'])).toMatchObject({ stdout: `${name}\n`, stderr: '', exitCode: 0 });

  const overHttp = await fetch(`http://${vms[0]?.address}/${name}`, { method: 'POST', body: 'x' });
  expect(await overHttp.text()).toBe(name);
});
