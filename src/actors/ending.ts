/** Resolves when the life of an actor has ended, for which `request` asks; at once if it has none. */
export function ending<L>(
  actor: { onEnd(listener: () => void): unknown },
  life: L | undefined,
  request: (life: L) => void,
): Promise<void> {
  return new Promise((resolve) => {
    if (life === undefined) return resolve();
    actor.onEnd(resolve);
    request(life);
  });
}
