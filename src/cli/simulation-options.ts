import { formatDuration, formatShape, hasUnits, type Scenario } from '../sim/mod.ts';

const GIB = 1024 ** 3;

/** What a run depends on, for the summary, line by line: all that flags, a file or the seed decide. */
export function optionsOf(scenario: Scenario): readonly string[] {
  const { params, faults } = scenario;
  return [
    sizeOf(scenario),
    requestsOf(scenario),
    guestsOf(scenario),
    hostOf(scenario),
    messagesOf(scenario),
    namedValues(Object.entries(params)),
    namedValues(Object.entries(faults).filter(([, rate]) => rate > 0)),
  ].filter((line) => line !== '');
}

function sizeOf({ seed, durationMs, load, hosts, addresses, memoryBytes, beats }: Scenario): string {
  const shape = load.kind === 'trace' ? traceOf(load) : formatShape(load);
  const machine = `${addresses} addresses, ${(memoryBytes / GIB).toFixed(3)} GiB`;
  const machines = hosts === 1 ? machine : `${hosts} hosts, a beat every ${beats.beatMs} ms, each with ${machine}`;
  return `seed ${seed}, ${durationMs / 1_000} s, ${shape}, ${machines}`;
}

function traceOf({ rows, scale }: Extract<Scenario['load'], { kind: 'trace' }>): string {
  return `a trace of ${rows.length} lines${scale === 1 ? '' : `, times ${scale}`}`;
}

function requestsOf({ clients, deadlineMs, repeats, reusedIds, deadlyRequests }: Scenario): string {
  return listed(
    `${clients} clients, deadline ${deadlineMs} ms`,
    [repeats, 'of the requests repeated'],
    [reusedIds, 'under the id of another'],
    [deadlyRequests, 'ending each VM that works on them'],
  );
}

function guestsOf(scenario: Scenario): string {
  const { boot, idempotent, brokenBoots, payload } = scenario.guest;
  const line = listed(`boot ${formatDuration(boot)} ms, ${serviceOf(scenario)}`, [brokenBoots, 'of the boots failing']);
  return `${line}${idempotent ? '' : ', not idempotent'}${payload === 'bytes' ? ', bytes' : ''}`;
}

/** How long requests compute. */
function serviceOf({ load, msPerUnit, guest }: Scenario): string {
  const service = `service ${formatDuration(guest.service)} ms`;
  if (load.kind !== 'trace' || !hasUnits(load.rows)) return service;
  if (msPerUnit !== undefined) return `service ${msPerUnit} ms a unit of work`;
  return `${service} (not by the last column of the trace: that needs --ms-per-unit)`;
}

function hostOf({ host, disk, control, guest }: Scenario): string {
  const line = listed(
    `start ${formatDuration(host.qemuStart)} ms, write ${formatDuration(disk.write)} ms`,
    [host.failedStarts, 'of the starts failing'],
    [disk.failedWrites, 'of the writes failing'],
  );
  return control === 'relay'
    ? `${line}, commands relayed, ${guest.hostileRelays ?? 0} of them by hostile guests`
    : line;
}

function messagesOf({ network: { lost, doubled, late } }: Scenario): string {
  if (lost + doubled + late === 0) return '';
  return `NATS loses ${lost}, doubles ${doubled}, delays ${late} of the messages`;
}

function listed(first: string, ...shares: readonly (readonly [number, string])[]): string {
  return [first, ...shares.filter(([share]) => share > 0).map(([share, what]) => `${share} ${what}`)].join(', ');
}

function namedValues(entries: readonly (readonly [string, number])[]): string {
  return entries.map(([name, value]) => `${name}=${value}`).join(' ');
}
