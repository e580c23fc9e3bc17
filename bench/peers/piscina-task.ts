/** The same work as a task of piscina. */
export default function echo({ n }: { readonly n: number }): number {
  return n;
}
