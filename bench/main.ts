import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Row } from './compare.ts';
import { SUITES } from './suites.ts';

/** `npm run bench -- SUITE [--json FILE] [--only TEXT]`: prints a row a claim; exits 1 if one does not hold and --strict is given. */
const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, only: { type: 'string' }, strict: { type: 'boolean' } },
  allowPositionals: true,
});
const suite = SUITES[positionals[0] ?? 'main'];
if (suite === undefined) {
  process.stderr.write(`there is no suite "${positionals[0]}"; there are ${Object.keys(SUITES).join(', ')}\n`);
  process.exit(2);
}

const rows: Row[] = [];
const { only = '' } = values;
for await (const row of suite((name) => name.includes(only))) {
  rows.push(row);
  process.stdout.write(`${lineOf(row)}\n`);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
process.exitCode = values.strict === true && rows.some((row) => !row.holds) ? 1 : 0;

function lineOf({ name, value, unit, baseline, ratio, goal, holds }: Row): string {
  return `${holds ? 'holds ' : 'MISSES'} ${name}: ${value} ${unit}, baseline ${baseline} ${unit}, ratio ${ratio} (aim ${goal})`;
}
