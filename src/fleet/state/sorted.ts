/** Where a value stands in an array of growing numbers, or would stand. */
export function sortedIndex(sorted: readonly number[], value: number): number {
  return sortedIndexBy(sorted, value, (item) => item);
}

/** The same among what is sorted by `keyOf`. */
export function sortedIndexBy<T>(sorted: readonly T[], value: number, keyOf: (item: T) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && keyOf(item) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Does nothing if it is there. At the end it costs next to nothing. */
export function insertSorted(sorted: number[], value: number): boolean {
  const last = sorted.at(-1);
  if (last === undefined || last < value) {
    sorted.push(value);
    return true;
  }
  const index = sortedIndex(sorted, value);
  if (sorted[index] === value) return false;
  sorted.splice(index, 0, value);
  return true;
}

/** Does nothing if it is not there. At the end it costs next to nothing. */
export function removeSorted(sorted: number[], value: number): boolean {
  if (sorted.at(-1) === value) {
    sorted.pop();
    return true;
  }
  const index = sortedIndex(sorted, value);
  if (sorted[index] !== value) return false;
  sorted.splice(index, 1);
  return true;
}
