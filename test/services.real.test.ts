/** What `shoal up --service` and `--watch` promise, with real VMs. */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import { statusOf } from './driver/deploying.ts';
import { eventually, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';
import { shoal } from './driver/shoal-process.ts';

const says = (text: string): string => `export default { say: (text: string) => \`${text} \${text}\` };\n`;

/** A file in a folder of its own. */
function fileOf(text: string, name = 'hello.ts'): string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** What builds of services have left in a folder of temporary files. */
const builtIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('shoal-service-'));

async function ask(fleet: TestFleet, text: string): Promise<string> {
  await using client = await connect({ servers: fleet.ready.nats });
  return (await client.request(text)).text;
}

const deploysOf = (fleet: TestFleet): number => fleet.up.stderr.split(' is deployed as image ').length - 1;

const deployedAgain = (fleet: TestFleet, times: number): Promise<void> =>
  fleet.up.stderrHas({ test: () => deploysOf(fleet) >= times });

test('a client gets the status and the message of an error that a service throws, over NATS and over HTTP', async () => {
  const file = fileOf(
    "import { ServiceError } from 'shoal/service';\n" +
      "export default { refuse: (text: string) => { throw new ServiceError(Number(text), 'not now'); } };\n",
  );
  await using fleet = await TestFleet.start({ flags: ['--service', file, '--http', '0'] });
  await using client = await connect({ servers: fleet.ready.nats });
  for (const status of [404, 409, 422]) {
    await expect(client.request(String(status))).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      details: { status: String(status) },
    });
    const response = await fetch(`${fleet.ready.http}/refuse`, { method: 'POST', body: String(status) });
    expect([response.status, await response.text()]).toEqual([status, 'not now\n']);
  }
  // They are the requests' fault: the VM stays.
  expect((await fleet.snapshot()).vms).toMatchObject([{ id_vmachine: fleet.ready.vms[0]?.id_vmachine }]);
});

test('the log of a VM has the stack of an error with the lines of the author', async () => {
  const file = fileOf(`type Text = string;\n
// A remark.
const parsed = (text: Text): { a: number } =>
  JSON.parse(text);

export default { sum: (text: Text) => String(parsed(text).a) };\n`);
  await using fleet = await TestFleet.start({ flags: ['--service', file] });
  await expect(ask(fleet, 'none')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  const vm = String(fleet.ready.vms[0]?.id_vmachine);
  await eventually('the log has it', async () => {
    const { stdout } = await fleet.run('logs', [vm]);
    return /at parsed \(hello\.ts:[45]\)\n.*at sum \(hello\.ts:7\)/.exec(stdout)?.[0];
  });
});

test('a service in TypeScript runs in VMs; what is saved is deployed, however an editor saves', async () => {
  const [file, temporary] = [fileOf(says('one')), temporaryFolder()];
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  await using fleet = await TestFleet.start({ flags: ['--service', file, '--watch'], env: { TMPDIR: temporary } });
  expect(await ask(fleet, 'x')).toBe('one x');
  await fleet.up.stderrHas(/Watching .*hello\.ts/);

  const refused = await fleet.run('params', ['set', 'vm_memory_bytes=8388608']);
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('to be at least 16777216 (16 MiB)') });

  writeFileSync(file, says('two'));
  await deployedAgain(fleet, 1);
  expect(await ask(fleet, 'x')).toBe('two x');

  // As vim, and most that do it carefully.
  writeFileSync(`${file}~`, says('three'));
  renameSync(`${file}~`, file);
  await deployedAgain(fleet, 2);
  expect(await ask(fleet, 'x')).toBe('three x');

  // A file that it imports, in a folder of its own.
  mkdirSync(join(file, '../words'));
  writeFileSync(join(file, '../words/word.ts'), "export const word = 'four';\n");
  writeFileSync(
    file,
    "import { word } from './words/word.ts';\nexport default { say: (text: string) => word + ' ' + text };\n",
  );
  await deployedAgain(fleet, 3);
  writeFileSync(join(file, '../words/word.ts'), "export const word = 'five';\n");
  await deployedAgain(fleet, 4);
  expect(await ask(fleet, 'x')).toBe('five x');

  // Of five: the one that Shoal was started with, the deployed one, the one before, and the one that was before when this deploy began.
  const kept = readdirSync(join(fleet.data, 'images')).filter((name) => name.endsWith('.elf'));
  expect(kept.length).toBeLessThanOrEqual(4);

  const { vms } = await statusOf(fleet);
  expect(vms).toEqual([{ image: (await statusOf(fleet)).image, vms: 1 }]);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
  expect(builtIn(temporary)).toEqual([]);
});

test('a service of bytes takes and gives any, with their content types, in the memory that the guide states', async () => {
  const file = fileOf(`import { type BytesService } from 'shoal/service';
    export const payload = 'bytes';
    export default {
      same: (bytes) => bytes,
      type: (_, { contentType }) => String(contentType),
      fill(bytes) {
        const all = Array.from({ length: Number(String.fromCharCode(...bytes)) }, () => new Uint8Array(2 ** 20).fill(1));
        return String(all.length);
      },
    } satisfies BytesService;\n`);
  await using fleet = await TestFleet.start({ flags: ['--service', file] });
  await using client = await connect({ servers: fleet.ready.nats });
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const echoed = await client.requestBytes(all, { contentType: 'image/png' });
  expect([Buffer.compare(echoed.bytes, all), echoed.contentType]).toEqual([0, 'application/octet-stream']);
  const typed = await client.requestBytes(all, { op: 'type', contentType: 'image/png' });
  expect([Buffer.from(typed.bytes).toString(), typed.contentType]).toEqual(['image/png', 'text/plain; charset=utf-8']);
  expect((await client.request('', { op: 'type' })).text).toBe('undefined');
  const { vms } = await fleet.snapshot();
  expect(vms.map(({ memory_mib }) => memory_mib)).toEqual([32]);
  expect((await client.request('17', { op: 'fill' })).text).toBe('17');
  await expect(client.request('19', { op: 'fill' })).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
});

test('what is saved during a deploy is deployed after it, and saves in a row cost no request', async () => {
  const file = fileOf(says('0'));
  await using fleet = await TestFleet.start({ flags: ['--service', file, '--watch', '--min', '3'] });
  await fleet.up.stderrHas(/Watching /);
  await using client = await connect({ servers: fleet.ready.nats });
  for (let version = 1; version <= 3; version += 1) {
    writeFileSync(file, says(String(version)));
    // It replaces three VMs: the next save comes before its end.
    await eventually(`deploy ${version} is under way`, async () => {
      const texts = (await fleet.events()).map(({ text }) => text);
      return texts.filter((text) => / replaces /.test(text)).length >= version || undefined;
    });
    expect((await client.request('x')).text).toMatch(/^\d x$/);
  }
  await eventually('the last version answers alone', async () => {
    const { vms, deploy } = await statusOf(fleet);
    const texts = await Promise.all(Array.from({ length: 6 }, () => client.request('x')));
    const isLast = vms.length === 1 && deploy?.phase === 'deployed' && texts.every(({ text }) => text === '3 x');
    return isLast ? true : undefined;
  });
});

test('a mistake, or a VM that does not start, leaves the service that runs', async () => {
  const file = fileOf(says('good'));
  await using fleet = await TestFleet.start({ flags: ['--service', file, '--watch'] });
  await fleet.up.stderrHas(/Watching /);

  writeFileSync(file, 'export default {\n  say: (text) => text +,\n};\n');
  await fleet.up.stderrHas(
    /The service .*hello\.ts:2:\d+ cannot be used: .*\[SERVICE_INVALID\]: what ran before goes on/,
  );
  expect(await ask(fleet, 'x')).toBe('good x');

  // It needs no more than a usual VM has, and these have less.
  expect(await fleet.run('params', ['set', 'vm_memory_bytes=16777216'])).toMatchObject({ exitCode: 0 });
  const large = 'const all = Array.from({ length: 6 * 1024 }, () => new Uint8Array(1000).fill(1));\n';
  writeFileSync(file, `${large}export default { say: (text: string) => text + all.length };\n`);
  await fleet.up.stderrHas(/hello\.ts is not deployed: .*bad-service.*memory.*\. What ran before goes on/);
  expect(await ask(fleet, 'x')).toBe('good x');
  await fleet.until('the VM of before is there alone', ({ vms }) => vms.length === 1);

  writeFileSync(file, says('better'));
  await deployedAgain(fleet, 1);
  expect(await ask(fleet, 'x')).toBe('better x');
});

test('VMs with a service outlive their Shoal; a changed file is another image, and an older one stays until it is deployed', async () => {
  const file = fileOf(says('first'));
  const temporary = temporaryFolder();
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const fleet = await TestFleet.start({
    ...{ flags: ['--service', file], data: temporaryFolder(), env: { TMPDIR: temporary } },
  });
  onTestFinished(() => rmSync(fleet.data, { recursive: true, force: true }));
  const before = await fleet.snapshot();
  await fleet.kill();
  expect(readdirSync(temporary).filter((name) => name.startsWith('shoal-service-'))).toEqual([]);
  const again = await fleet.resume();
  const adopted = await again.snapshot();
  expect(adopted.vms.map(({ id_vmachine, image_digest }) => [id_vmachine, image_digest])).toEqual(
    before.vms.map(({ id_vmachine, image_digest }) => [id_vmachine, image_digest]),
  );
  expect(await ask(again, 'x')).toBe('first x');

  writeFileSync(file, says('second'));
  const deployed = await again.run('image', ['deploy', file, '--wait', '--canary-time', '0']);
  expect(deployed).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('is deployed') });
  expect(await ask(again, 'x')).toBe('second x');
  const { vms } = await again.snapshot();
  expect(vms.map(({ image_digest }) => image_digest)).not.toEqual(before.vms.map(({ image_digest }) => image_digest));
  expect(await again.stop()).toMatchObject({ exitCode: 0 });

  writeFileSync(file, says('third'));
  const last = await again.resume();
  expect(await ask(last, 'x')).toBe('second x');
  expect(last.up.stderr + JSON.stringify(await last.events())).toMatch(
    /deployed, and not from .*hello\.ts .*`shoal image deploy .*hello\.ts`/,
  );
  expect(await last.stop()).toMatchObject({ exitCode: 0 });
});

test('a start that watches a service runs it, whatever was deployed before', async () => {
  const file = fileOf(says('first'));
  const fleet = await TestFleet.start({ flags: ['--service', file, '--watch'], data: temporaryFolder() });
  onTestFinished(() => rmSync(fleet.data, { recursive: true, force: true }));
  await fleet.up.stderrHas(/Watching /);
  writeFileSync(file, says('second'));
  await deployedAgain(fleet, 1);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });

  writeFileSync(file, says('third'));
  const last = await fleet.resume();
  expect(await ask(last, 'x')).toBe('third x');
  expect(JSON.stringify(await last.events())).not.toMatch(/was deployed, and not from/);
  expect(await last.stop()).toMatchObject({ exitCode: 0 });
});

test('what cannot be is refused before a service is built', async () => {
  // It would be refused as well, after its build.
  const file = fileOf('no service');
  await using fleet = await TestFleet.start();
  const both = await shoal(['up', '--data', fleet.data, '--service', file]);
  expect(both).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^shoal: Shoal with pid .*\[DATA_DIR_IN_USE\]\n$/),
  });
  const wrong = await shoal(['up', '--data', join(fleet.data, 'none'), '--service', file, '--http', '70000']);
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^shoal: --http: expected /) });
});

test('what was saved while no Shoal ran is deployed by the next one that watches', async () => {
  const file = fileOf(says('first'));
  const fleet = await TestFleet.start({ flags: ['--service', file, '--watch'], data: temporaryFolder() });
  onTestFinished(() => rmSync(fleet.data, { recursive: true, force: true }));
  await fleet.kill();
  writeFileSync(file, says('second'));
  await using again = await fleet.resume();
  await deployedAgain(again, 1);
  expect(await ask(again, 'x')).toBe('second x');
});

test('a service that refuses the greeting runs, and says so', async () => {
  const file = fileOf('export default { sum: (text: string) => String(JSON.parse(text).a + 1) };\n');
  await using fleet = await TestFleet.start({ flags: ['--service', file] });
  expect(await ask(fleet, '{"a":41}')).toBe('42');
  expect(await shoal(['send', '--data', fleet.data, 'none'])).toMatchObject({
    stderr: expect.stringMatching(/^shoal: .*\[REQUEST_INVALID\]/),
    exitCode: 1,
  });
});

test('a service that never answers the greeting runs, is watched, and can be mended', async () => {
  const file = fileOf('export default { a(text: string) { while (text.startsWith("Hello")); return text; } };\n');
  const flags = ['--service', file, '--watch', '--set', 'boot_timeout_ms=4000'];
  await using fleet = await TestFleet.start({ flags });
  expect(await ask(fleet, 'other')).toBe('other');
  await fleet.up.stderrHas(/Watching .*hello\.ts/);
  writeFileSync(file, says('mended'));
  await deployedAgain(fleet, 1);
  expect(await ask(fleet, 'Hello')).toBe('mended Hello');
});

test('a service that cannot be used starts nothing', async () => {
  const file = fileOf("import 'node:fs';\nexport default { a: () => '' };\n");
  const data = temporaryFolder();
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const up = await shoal(['up', '--data', join(data, 'none'), '--service', file], { env: { TMPDIR: data } });
  expect(up).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/hello\.ts:1 cannot be used: .*\[SERVICE_INVALID\]\n$/),
  });
  expect(readdirSync(data)).toEqual([]);
  const both = await shoal(['up', '--data', join(data, 'none'), '--service', file, '--image', 'x.elf']);
  expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('leave --image out') });
  const alone = await shoal(['up', '--data', join(data, 'none'), '--watch']);
  expect(alone).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--watch watches the service of --service'),
  });
});
