/** The same work as a task of piscina. */
export function echo({ n }: { readonly n: number }): number {
  return n;
}
