import { readFileSync } from 'node:fs';
import { packageJsonUrl } from './paths.ts';

export function version(): string {
  const content: unknown = JSON.parse(readFileSync(packageJsonUrl, 'utf8'));
  if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version);
  return 'unknown';
}
