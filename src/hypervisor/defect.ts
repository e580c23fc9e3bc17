/**
 * A callback threw: a mistake in Shoal. An actor sends it to itself, because only a handler that throws ends an
 * actor.
 */
export interface Defect {
  readonly kind: 'defect';
  readonly message: string;
}

export function defectOf(error: unknown): Defect {
  return { kind: 'defect', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
