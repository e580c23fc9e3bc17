import type { ErrorEnvelope } from '../../errors.ts';
import type { BuiltService } from './build-service.ts';

/** What the thread that builds is told. */
export interface BuildOrder {
  readonly source: string;
  readonly output: string;
}

/** What it tells: any number of lines and inputs, and then how it ended. */
export type BuildNews =
  | { readonly kind: 'line'; readonly line: string }
  /** `signature`: as the input was before it was read. */
  | { readonly kind: 'input'; readonly path: string; readonly signature: string }
  | { readonly kind: 'built'; readonly built: BuiltService }
  | { readonly kind: 'failed'; readonly error: ErrorEnvelope };
