import type { ErrorEnvelope } from '../../errors.ts';
import type { BuiltService } from './build-service.ts';

/** What the thread that builds is told. */
export interface BuildOrder {
  readonly source: string;
  readonly output: string;
}

/** What it tells: any number of lines, and then how it ended. */
export type BuildNews =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'built'; readonly built: BuiltService }
  | { readonly kind: 'failed'; readonly error: ErrorEnvelope };
