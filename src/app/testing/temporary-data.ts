import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { DataDir } from '../data-dir.ts';

/** A data directory of its own, which ends with the test. */
export async function temporaryData(): Promise<DataDir> {
  const path = mkdtempSync(join(tmpdir(), 'shoal-data-'));
  const data = await DataDir.open(path);
  onTestFinished(() => {
    data.close();
    rmSync(path, { recursive: true });
  });
  return data;
}
