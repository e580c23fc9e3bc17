// Writes case_tables.inc, the case mapping of this JavaScript engine, as compact tables:
//   node includeos/service/tools/make-case-tables.mjs > includeos/service/case_tables.inc
// One-to-one mappings become runs (every code point, or every second one, moves by the same distance); mappings to several code
// points, and the properties that the final sigma needs, stand in tables of their own.

const codePointMax = 0x10ffff;

function* codePoints() {
  for (let codePoint = 0; codePoint <= codePointMax; codePoint++) {
    if (codePoint < 0xd800 || codePoint > 0xdfff) yield codePoint;
  }
}

const mapped = (codePoint, map) => Array.from(map(String.fromCodePoint(codePoint)), (c) => c.codePointAt(0));

function tables(map) {
  const single = [];
  const special = [];
  for (const from of codePoints()) {
    const to = mapped(from, map);
    if (to.length > 1) special.push([from, ...to]);
    else if (to[0] !== from) single.push({ from, distance: to[0] - from });
  }
  const runs = [];
  for (const { from, distance } of single) {
    const run = runs.at(-1);
    const step = run === undefined ? 0 : from - run.last;
    if (run?.distance === distance && (step === run.step || (run.step === 0 && step <= 2))) {
      run.step = step;
      run.last = from;
    } else {
      runs.push({ first: from, last: from, step: 0, distance });
    }
  }
  return { runs: runs.map((run) => ({ ...run, step: run.step || 1 })), special };
}

function ranges(pattern) {
  const found = [];
  for (const codePoint of codePoints()) {
    if (!pattern.test(String.fromCodePoint(codePoint))) continue;
    const range = found.at(-1);
    if (range?.last === codePoint - 1) range.last = codePoint;
    else found.push({ first: codePoint, last: codePoint });
  }
  return found;
}

const hex = (number) => `0x${number.toString(16)}`;
const rows = (cells) => {
  const lines = [];
  for (let i = 0; i < cells.length; i += 8) lines.push(`  ${cells.slice(i, i + 8).join(' ')}`);
  return lines.join('\n');
};

const printRuns = (name, runs) =>
  `constexpr CaseRun ${name}[] = {\n${rows(runs.map((r) => `{${hex(r.first)},${hex(r.last)},${r.step},${r.distance}},`))}\n};\n`;
const printSpecial = (name, special) =>
  `constexpr SpecialCase ${name}[] = {\n${rows(special.map(([from, ...to]) => `{${hex(from)},{${to.map(hex).join(',')}}},`))}\n};\n`;
const printRanges = (name, list) =>
  `constexpr CodePointRange ${name}[] = {\n${rows(list.map((r) => `{${hex(r.first)},${hex(r.last)}},`))}\n};\n`;

const upper = tables((text) => text.toUpperCase());
const lower = tables((text) => text.toLowerCase());

process.stdout.write(
  [
    `// Written by tools/make-case-tables.mjs from Unicode ${process.versions.unicode}. Do not edit.\n`,
    printRuns('kUpperRuns', upper.runs),
    printSpecial('kUpperSpecial', upper.special),
    printRuns('kLowerRuns', lower.runs),
    printSpecial('kLowerSpecial', lower.special),
    printRanges('kCased', ranges(/\p{Cased}/u)),
    printRanges('kCaseIgnorable', ranges(/\p{Case_Ignorable}/u)),
  ].join('\n'),
);
