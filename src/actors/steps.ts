/** Work that goes through a tree: each step that it yields is finished before the next. */
export type Steps = Generator<Steps, void>;

/** Takes all steps. They are not nested calls, because trees may be deeper than calls can be nested. */
export function take(first: Steps): void {
  const open = [first];
  for (let current = open.at(-1); current !== undefined; current = open.at(-1)) {
    const { done, value } = current.next();
    if (done === true) open.pop();
    else open.push(value);
  }
}
