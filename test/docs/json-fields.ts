/** A field that `docs/commands.md` calls stable. */
export interface Field {
  /** As in `vms[].cpu`. */
  readonly path: string;
  readonly type: string;
  readonly mayBeAbsent: boolean;
}

/** The fields of a section's table. Rows that refer to another section are left out. */
export function fieldsOf(section: string): Field[] {
  return [...section.matchAll(/^\| `([\w.[\]]+)` \| ([\w ]+) \| (.+) \|$/gm)].map(
    ([, path = '', type = '', about = '']) => ({
      path,
      type,
      mayBeAbsent: /\babsent\b/.test(about),
    }),
  );
}

/** The differences between the output of a command and its documented fields. */
export function disagreements(value: unknown, fields: readonly Field[]): string[] {
  const seen = new Map<string, Set<string>>();
  collect(value, '', seen, new Set(fields.map(({ path }) => path)));
  const wrong = fields.flatMap(({ path, type, mayBeAbsent }) => {
    const types = [...(seen.get(path) ?? [])];
    if (types.length === 0) return mayBeAbsent ? [] : [`${path} is documented and not printed`];
    const strange = types.filter((one) => !type.split(' or ').includes(one));
    return strange.map((one) => `${path} is documented as ${type} and is ${one}`);
  });
  const known = new Set(fields.map(({ path }) => path));
  const extra = [...seen.keys()].filter((path) => !known.has(path));
  return [...wrong, ...extra.map((path) => `${path} is printed and not documented`)];
}

/** Descends into an object or a list only if the documentation does. */
function collect(value: unknown, path: string, seen: Map<string, Set<string>>, known: ReadonlySet<string>): void {
  const goesOn = path === '' || [...known].some((one) => one.startsWith(`${path}.`) || one.startsWith(`${path}[]`));
  if (path !== '' && !path.endsWith('[]')) seen.set(path, (seen.get(path) ?? new Set()).add(typeOf(value)));
  if (!goesOn) return;
  if (Array.isArray(value)) for (const item of value) collect(item, `${path}[]`, seen, known);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value))
      collect(field, path === '' ? name : `${path}.${name}`, seen, known);
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'string' ? 'text' : typeof value;
}
