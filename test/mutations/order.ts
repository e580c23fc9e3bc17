import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** In which run each file of tests last caught a mutation. */
const lastRuns = new Map<string, number>();

export function hasCaught(moduleId: string, run: number): void {
  lastRuns.set(moduleId, run);
}

/** The mutations of one source stand together, and most are caught by the same tests: the first that fails ends a run. */
export class LastToCatchFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const last = ({ moduleId }: TestSpecification): number => lastRuns.get(moduleId) ?? 0;
    return files.toSorted((a, b) => last(b) - last(a));
  }
}
