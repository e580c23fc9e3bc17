/** `shoal simulate` as a user runs it. No QEMU, no NATS. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { disagreements, fieldsOf } from '../docs/json-fields.ts';
import { Page } from '../docs/page.ts';
import { type Finished, ShoalProcess } from '../driver/shoal-process.ts';
import { CANARY } from './planted-bugs.ts';

const MAIN = join(fileURLToPath(new URL('../..', import.meta.url)), 'src/cli/main.ts');
const PLANT = fileURLToPath(new URL('plant.ts', import.meta.url));
/** A seed that finds the canary, and those after it. */
const CANARY_SEED = 8;

function simulate(...args: string[]): Promise<Finished> {
  return run(args, {});
}

/** The same with the canary in the sources. */
function simulateCanary(...args: string[]): Promise<Finished> {
  const before = ['--import', PLANT, MAIN];
  return run(args, { command: process.execPath, before, env: { SHOAL_PLANTED_BUG: CANARY } });
}

function run(args: readonly string[], options: ConstructorParameters<typeof ShoalProcess>[1]): Promise<Finished> {
  const shoal = new ShoalProcess(['simulate', ...args], options);
  onTestFinished(async () => {
    shoal.signal('SIGKILL');
    await shoal.finished;
  });
  return shoal.finished;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'shoal-simulate-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Whether the process has a listener for the signal. */
function hears(pid: number, signal: number): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** What a command wrote. Where it has another shape, the test fails. */
function parsed<T>(text: string): T {
  // The type is what the test expects.
  return JSON.parse(text) as T;
}

describe('shoal simulate', () => {
  test('the same seed gives the same history in another process, and prints what the seed decided', async () => {
    const [one, other] = await Promise.all([
      simulate('--chaos', '--seed', '3', '-o', 'json'),
      simulate('--chaos', '--seed', '3'),
    ]);
    const { history, events } = parsed<{ readonly history: string; readonly events: number }>(one.stdout);
    expect(other.stdout).toContain(`History     ${events} events, sha256 ${history.slice(0, 16)}`);
    expect(other.stdout).toMatch(/^Scenario {4}seed 3, /);
    expect([one.exitCode, other.exitCode, one.stderr, other.stderr]).toEqual([0, 0, '', '']);
  });

  test('prints a line for each event, and writes a chart', async () => {
    const path = join(folder(), 'chart.svg');
    const { stdout, exitCode } = await simulate(
      '--load',
      'constant:2',
      '--duration',
      '5',
      '--lines',
      '--chart',
      path,
      '-o',
      'json',
    );
    const lines = stdout.trim().split('\n');
    const { events } = parsed<{ readonly events: number }>(lines.at(-1) ?? '');
    expect([exitCode, lines.length]).toEqual([0, events + 1]);
    // Time, host, event, VM and text, each below the one above.
    const aligned = /^[\d. ]{14} {2}.{8} \S.{13} [\d ]{7} {2}\S/;
    expect(lines.slice(0, -1).filter((line) => line.length > 47 && !aligned.test(line))).toEqual([]);
    expect(readFileSync(path, 'utf8')).toMatch(/^<svg /);
  });

  test('explains a run as `shoal explain` explains a fleet, with the times of the simulation', async () => {
    const burst = ['--load', 'burst:2:60:20:3', '--duration', '30'];
    const [last, vm, request, nobody] = await Promise.all(
      ['last 3', 'vm 2', 'request r0', 'vm 9999'].map((what) => simulate(...burst, '--explain', what)),
    );
    expect(last?.stdout).toMatch(/\n\n00:0\d:\d\d\.\d{3} {2}VM \d+ is .*\(R\d\)\n {14}on \w+ \d+.*\n/);
    expect(last?.stdout).toMatch(/ {14}not .*: .*/);
    expect(last?.stdout).toMatch(/\n\nR5 .*: `shoal explain R5`\n$/);
    expect(vm?.stdout).toMatch(
      /VM 2 is started at .*\(R3\)\n {14}on .*waiting [\s\S]*VM 2 is drained[\s\S]*VM 2 .*stop/,
    );
    expect(request?.stdout).toMatch(
      / {14}not a free VM: .*[\s\S]*\n {14}on took_ms \d+, tries 1\n {14}reason replied\n/,
    );
    expect(nobody).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('\n\nThere was no VM 9999.\n') });
  });

  test('explains a run that breaks a promise, and as JSON', async () => {
    const canary = ['--chaos', '--seed', String(CANARY_SEED), '--explain', 'last'];
    const [text, json] = await Promise.all([simulateCanary(...canary), simulateCanary(...canary, '-o', 'json')]);
    expect([text.exitCode, text.stderr]).toEqual([1, expect.stringMatching(/^After \d/)]);
    expect(text.stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      explained: { kind: 'last', events: [{ rule: expect.any(String), figures: expect.any(Object) }] },
    });
  });

  test('prints the events of the fleet, with what they were decided on, or as JSON', async () => {
    const burst = ['--load', 'burst:2:60:20:3', '--duration', '10', '--param', 'spare_vm_count=1', '--events'];
    const [plain, why, json] = await Promise.all([
      simulate(...burst),
      simulate(...burst, '--why'),
      simulate(...burst, '-o', 'json'),
    ]);
    expect(plain.stdout).toMatch(/^00:00:0\d\.\d{3} {2}host host-1 .*\n00:/);
    expect(plain.stdout).not.toContain('  on ');
    expect(why.stdout).toMatch(/VM \d+ is started at .*\n {14}on /);
    const starts = json.stdout.split('\n').filter((line) => line.includes('"kind":"vm-start"'));
    const told = starts.map((line) => parsed<{ readonly text: string; readonly spare?: boolean }>(line));
    expect(told.filter(({ spare }) => spare === true).length).toBeGreaterThan(0);
    expect(told.filter(({ text, spare }) => text.includes('as a spare') !== (spare === true))).toEqual([]);
  });

  test('prints the fields that the documentation lists, for a run that holds and for one that does not', async () => {
    const fields = fieldsOf(Page.read('docs/commands.md').section('`shoal simulate`') ?? '');
    const [held, broken] = await Promise.all([
      simulate('--duration', '5', '-o', 'json'),
      simulateCanary('--chaos', '--seed', String(CANARY_SEED), '-o', 'json'),
    ]);
    expect(disagreements(JSON.parse(held.stdout), fields)).toEqual([]);
    const failed = parsed<{ readonly ok: boolean }>(broken.stdout);
    const known = new Set(fields.map(({ path }) => path));
    expect([failed.ok, Object.keys(failed).filter((name) => !known.has(name))]).toEqual([false, []]);
  });

  test('counts as cold starts the VMs that requests waited for, and not those of the minimum or kept as spares', async () => {
    const options = ['--load', 'constant:20', '--service', '200', '--duration', '5', '-o', 'json'];
    const run = async (...params: string[]): Promise<Record<string, number>> => {
      const { stdout } = await simulate(...options, ...params.flatMap((one) => ['--param', one]));
      return parsed<{ readonly vms: Record<string, number> }>(stdout).vms;
    };
    const [cold, warm] = await Promise.all([run('spare_vm_count=2'), run('min_vm_count=40')]);
    expect(cold['cold_starts']).toBeGreaterThan(0);
    // The first VM is R1's, and some are spares that nobody waited for.
    expect(cold['cold_starts']).toBeLessThan(cold['started'] ?? 0);
    expect(warm).toMatchObject({ started: 40, ready: 40, cold_starts: 0, ended: 0 });
  });

  test('has no latency if no request was answered', async () => {
    const none = ['--service', '500', '--deadline', '100', '--duration', '3'];
    const [text, json] = await Promise.all([simulate(...none), simulate(...none, '-o', 'json')]);
    expect(text.stdout).toContain('Latency     none, no request was answered\n');
    expect(JSON.parse(json.stdout)).toMatchObject({ requests: { ok: 0, latency_ms: null, queued_ms: null } });
  });

  test('runs a trace, with its units of work', async () => {
    const trace = join(folder(), 'trace.csv');
    writeFileSync(trace, 'time,bytes,units\n0,10,100\n1,10,100\n2.5,10,300\n');
    const { stdout } = await simulate('--trace', trace, '--ms-per-unit', '2', '--scale', '3', '-o', 'json');
    const { requests } = parsed<{
      readonly requests: { readonly sent: number; readonly ok: number; readonly wait_ms: { readonly max: number } };
    }>(stdout);
    expect(requests).toMatchObject({ sent: 9, ok: 9 });
    expect(requests.wait_ms.max).toBeGreaterThan(600);
  });

  test('says by what the requests of a trace compute', async () => {
    const trace = join(folder(), 'trace.csv');
    writeFileSync(
      trace,
      'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,374,44\n2023-11-16 18:15:50,396,109\n',
    );
    const printed = async (...args: string[]): Promise<string> => (await simulate('--trace', trace, ...args)).stdout;
    const [units, service, neither] = await Promise.all([
      printed('--ms-per-unit', '10'),
      printed('--service', '50'),
      printed(),
    ]);
    expect(units).toMatch(/, service 10 ms a unit of work\n/);
    expect(service).toMatch(/, service 50 ms \(not by the last column of the trace: that needs --ms-per-unit\)\n/);
    expect(neither).toMatch(/, service lognormal:5:0\.7 ms \(not by the last column/);
  });

  test('beside --seeds, what is given is applied to each seed', async () => {
    const run = async (...args: string[]): Promise<Readonly<Record<string, number>>> => {
      const { stdout, exitCode } = await simulate('--seeds', '3', '-o', 'json', ...args);
      expect(exitCode).toBe(0);
      return parsed<{ readonly counts: Readonly<Record<string, number>> }>(stdout).counts;
    };
    const [alone, crashing] = await Promise.all([run(), run('--faults', 'vmCrash=60', '--param', 'min_vm_count=3')]);
    expect(crashing['fault vmCrash']).toBeGreaterThan((alone['fault vmCrash'] ?? 0) + 30);
  });

  test('counts each VM once, each fault by its name, and each event of a rule by its kind', async () => {
    // Shoal comes back often, and adopts VMs that were ready before; each says so again.
    const options = ['--load', 'constant:5', '--duration', '60', '--param', 'min_vm_count=5'];
    const [json, text] = await Promise.all([
      simulate(...options, '--faults', 'shoalCrash=6,vmCrash=6', '-o', 'json'),
      simulate(...options, '--faults', 'shoalCrash=6,vmCrash=6'),
    ]);
    const {
      vms,
      counts,
      rules,
      rule_events: kinds,
    } = parsed<{
      readonly vms: { readonly started: number; readonly ready: number };
      readonly counts: Readonly<Record<string, number>>;
      readonly rules: Readonly<Record<string, number>>;
      readonly rule_events: Readonly<Record<string, Readonly<Record<string, number>>>>;
    }>(json.stdout);
    expect(counts['vm-ready']).toBeGreaterThan(vms.started);
    expect(vms.ready).toBeLessThanOrEqual(vms.started);
    const sums = Object.entries(kinds).map(([rule, by]) => [
      rule,
      Object.values(by).reduce((sum, one) => sum + one, 0),
    ]);
    expect(Object.fromEntries(sums)).toEqual(rules);
    expect(text.stdout).toMatch(
      new RegExp(`\\n +${counts['fault shoalCrash']}  shoalCrash\\n +${counts['fault vmCrash']}  vmCrash\\n`),
    );
  });

  test('tells the latency, and how much of it passed before a VM began to work', async () => {
    const { stdout } = await simulate('--load', 'constant:5', '--service', '50', '--duration', '20', '-o', 'json');
    type Quantiles = { readonly p50: number; readonly max: number };
    const { requests } = parsed<{
      readonly requests: { readonly latency_ms: Quantiles; readonly queued_ms: Quantiles };
    }>(stdout);
    expect(requests.latency_ms.p50).toBeGreaterThan(50);
    expect(requests.queued_ms.p50).toBeLessThan(5);
    // The first one waits for a start.
    expect(requests.latency_ms.max).toBeGreaterThan(50 + requests.queued_ms.p50);
  });

  test('prints what it ran so that it can be run again, and the most VMs at a time, however short', async () => {
    const flags = ['--load', 'burst:5:200:30:0.1', '--param', 'min_vm_count=0', '--duration', '1'];
    const { stdout } = await simulate(...flags);
    expect(stdout).toContain('burst:5:200:30:0.1');
    expect(stdout).toContain('min_vm_count=0');
    expect(stdout).not.toContain('at most 0 at a time');
  });

  test('refuses --ms-per-unit for a trace of counts, which has no units of work', async () => {
    const trace = join(folder(), 'trace.csv');
    writeFileSync(trace, 'time,count\n0,10\n1,10\n');
    const { exitCode, stderr } = await simulate('--trace', trace, '--ms-per-unit', '2');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--ms-per-unit needs a trace with units of work')]);
  });

  test('a failing seed is found, made smaller, and repeated by the command that is printed', async () => {
    const path = join(folder(), 'failures.json');
    const seeds = ['--seed', String(CANARY_SEED), '--seeds', '1', '--failures', path];
    const found = await simulateCanary(...seeds);
    expect(found.exitCode).toBe(1);
    const failed = parsed<{
      readonly commit: string;
      readonly command: string;
      readonly seed: number;
      readonly scenario: { readonly durationMs: number; readonly faults: Readonly<Record<string, number>> };
      readonly failure: { readonly message: string; readonly atMs: number };
      readonly lines: readonly string[];
    }>(readFileSync(path, 'utf8'));
    expect(failed).toMatchObject({ seed: CANARY_SEED, commit: expect.stringMatching(/^([0-9a-f]{40}|unknown)$/) });
    expect(failed.failure.message).toMatch(/^VM \d+ runs on .*, which is nobody's in the tables/);
    expect(failed.lines.length).toBeGreaterThan(0);
    expect(found.stderr).toContain(`\`${failed.command}\` repeats the first`);

    const whole = await simulateCanary('--chaos', '--seed', String(CANARY_SEED), '-o', 'json');
    const { scenario } = parsed<{ readonly scenario: typeof failed.scenario }>(whole.stdout);
    const size = ({ durationMs, faults }: typeof scenario): number[] => [
      durationMs,
      Object.values(faults).filter((rate) => rate > 0).length,
    ];
    const [[smallMs = 0, smallFaults = 0], [wholeMs = 0, wholeFaults = 0]] = [size(failed.scenario), size(scenario)];
    expect(smallMs).toBeLessThan(wholeMs);
    expect(smallFaults).toBeLessThanOrEqual(wholeFaults);

    const [shoal = '', command = '', ...args] = failed.command.split(' ');
    expect([shoal, command]).toEqual(['shoal', 'simulate']);
    const again = await simulateCanary(...args);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain(failed.failure.message);
    // Without the bug the same scenario is fine.
    expect(await simulate(...args)).toMatchObject({ exitCode: 0 });
  });

  test('many seeds: a line of what was reached, and no file if none failed', async () => {
    const path = join(folder(), 'failures.json');
    const { stdout, exitCode } = await simulate('--seeds', '3', '--failures', path, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ runs: 3, failures: [], missed: [] });
    expect(exitCode).toBe(0);
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });

  test.each([1, 3])(
    'crashes of every part, seed %d: the fleet comes to rest, and each part has crashed',
    async (seed) => {
      const parts = ['shoal', 'router', 'controller', 'vmActor', 'shard', 'launcher'];
      const faults = parts
        .map((part) => `${part}Crash=${part === 'router' || part === 'controller' ? 3 : 6}`)
        .join(',');
      const options = ['--load', 'burst:2:60:10:3', '--duration', '60', '--param', 'min_vm_count=3', '-o', 'json'];
      const { stdout, exitCode } = await simulate(...options, '--faults', faults, '--seed', String(seed));
      const { counts } = parsed<{ readonly counts: Readonly<Record<string, number>> }>(stdout);
      const killed = ['shoal', 'router', 'controller', 'vm-actor', 'shard', 'launcher'].map((part) => `${part}-killed`);
      expect([exitCode, killed.filter((one) => counts[one] === undefined)]).toEqual([0, []]);
    },
  );

  test('messages that are lost, doubled and late: no request ends twice, and the client resends', async () => {
    const options = ['--load', 'constant:20', '--duration', '20', '--deadline', '5000', '-o', 'json'];
    const { stdout, exitCode } = await simulate(...options, '--messages', 'lost=0.02,doubled=0.05,late=0.05');
    const { requests } = parsed<{
      readonly requests: { readonly sent: number; readonly ok: number; readonly wait_ms: { readonly max: number } };
    }>(stdout);
    expect(exitCode).toBe(0);
    expect(requests.ok).toBeGreaterThan(0);
    // Nothing else takes so long here: some message was late or lost.
    expect(requests.wait_ms.max).toBeGreaterThan(300);
  });

  test('a reservation that a router was writing when it failed with its controller is not left over', async () => {
    // The seed that found it: the disk is slow, so the next router looked at the tables before the write was done.
    expect(await simulate('--chaos', '--seed', '1093')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  const files = {
    'empty.json': '',
    'other.json': '{"name": "shoal"}',
    'list.json': '[]',
    'shape.json': '{"scenario": {"guest": {"boot": 5}}}',
    'trace.csv': 'time,count\n1,2\n0,1\n',
    'fine.csv': 'time,units\n0,1\n1,2\n',
  };

  test.each([
    [['--load', 'flood'], 2, /^shoal: Expected --load to be .*got `flood` \[CONFIG_VALUE\]\n$/],
    [['--boot', 'soon'], 2, /^shoal: Expected --boot to be .* \[CONFIG_VALUE\]\n$/],
    [['--param', 'speed=1'], 2, /^shoal: There is no parameter "speed"; .* \[CONFIG_VALUE\]\n$/],
    [['--param', 'free_count=0'], 2, /^shoal: Expected free_count to be .* \[CONFIG_VALUE\]\n$/],
    [['--faults', 'flood=1'], 2, /^shoal: expected --faults NAME=RATE .* \[USAGE\]\n$/],
    [['--messages', 'lost=2'], 2, /^shoal: expected --messages NAME=SHARE .* \[USAGE\]\n$/],
    [['--vms', '0'], 2, /--vms/],
    [['--seeds', '1', '--lines'], 2, /--lines, --chart, --events and --explain show one run/],
    [['--seeds', '1', '--explain', 'last'], 2, /--lines, --chart, --events and --explain show one run/],
    [['--why'], 2, /--why belongs to --events/],
    [['--explain', 'R5'], 2, /expected --explain last, "last N", "vm VM", "vm HOST\/VM" or "request ID", .*got "R5"/],
    [['--explain', 'vm one'], 2, /expected the number of a VM .*got "one"/],
    [['--explain', 'last 0'], 2, /expected how many decisions \(1 to 500\), got "0"/],
    [['--chaos', '--load', 'constant:1'], 2, /give either --chaos or a load/],
    [['--scale', '2'], 2, /--scale belongs to --trace/],
    [['--failures', 'x.json'], 2, /--failures belongs to --seeds/],
    [['--trace', 'fine.csv', '--ms-per-unit', '2', '--service', '5'], 2, /give either --service or --ms-per-unit/],
    [['--chaos', '--trace', 'fine.csv'], 2, /give either --chaos or a load/],
    [
      ['--trace', 'no-such.csv'],
      2,
      /^shoal: The trace .*no-such\.csv cannot be read: there is no such file \(ENOENT\) \[CONFIG_VALUE\]\n$/,
    ],
    [['--trace', 'trace.csv'], 2, /^shoal: Expected line 3 of the trace .*trace\.csv .* \[CONFIG_VALUE\]\n$/],
    [
      ['--scenario', 'no-such.json'],
      2,
      /^shoal: .*The scenario .*no-such\.json cannot be read: there is no such file \(ENOENT\) \[CONFIG_VALUE\]\n$/,
    ],
    [['--scenario', 'empty.json'], 2, /^shoal: .*empty\.json holds no scenario .* \[CONFIG_VALUE\]\n$/],
    [
      ['--scenario', 'other.json'],
      2,
      /^shoal: .*other\.json holds no scenario .*no field "scenario" \[CONFIG_VALUE\]\n$/,
    ],
    [
      ['--scenario', 'list.json'],
      2,
      /^shoal: .*list\.json holds no scenario .*no field "scenario" \[CONFIG_VALUE\]\n$/,
    ],
    [
      ['--scenario', 'shape.json'],
      2,
      /^shoal: .*Expected scenario\.guest\.boot\.kind to be constant, .* \[CONFIG_VALUE\]\n$/,
    ],
    [['--scenario', 'shape.json', '--vms', '3'], 2, /--vms is a part of the scenario/],
  ])('%j ends with one clear error before anything runs', async (args, exitCode, message) => {
    const path = folder();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    const placed = args.map((one) => (/\.(json|csv)$/.test(one) ? join(path, one) : one));
    const { stdout, stderr, ...ended } = await simulate(...placed);
    expect({ stdout, exitCode: ended.exitCode, lines: stderr.trim().split('\n').length }).toEqual({
      stdout: '',
      exitCode,
      lines: 1,
    });
    expect(stderr).toMatch(message);
  });

  test.each([
    ['--chart', ['--duration', '1']],
    ['--failures', ['--seeds', '100000']],
  ])('%s that cannot be written is told before anything runs', async (flag, others) => {
    const { stdout, stderr, exitCode } = await simulate(...others, flag, join(folder(), 'no', 'output'));
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^shoal: .*output cannot be written: .*ENOENT.* \[OUTPUT_UNWRITABLE\]\n$/);
  });

  test('seeds that are interrupted say how many have run, and are no proof', async () => {
    const seeds = new ShoalProcess(['simulate', '--seeds', '100000', '-o', 'json']);
    onTestFinished(async () => {
      seeds.signal('SIGKILL');
      await seeds.finished;
    });
    while (seeds.child.exitCode === null && !hears(seeds.pid, constants.signals.SIGHUP)) {
      // pause: until the command listens to the signal, which Node alone does not
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    seeds.signal('SIGHUP');
    const { stdout, stderr, exitCode } = await seeds.finished;
    const { ok, interrupted, runs } = parsed<{
      readonly ok: boolean;
      readonly interrupted: boolean;
      readonly runs: number;
    }>(stdout);
    expect({ exitCode, ok, interrupted }).toEqual({ exitCode: 1, ok: false, interrupted: true });
    expect(stderr).toBe(`interrupted: ${runs} of 100000 seeds have run\n`);
  });
});
