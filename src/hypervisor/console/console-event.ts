import type { GuestReady, GuestReport } from '../../fleet/mod.ts';

/** A parsed line of a guest's console. */
export type ConsoleEvent =
  | { readonly kind: 'ready'; readonly bind: string; readonly addr: string; readonly guest: GuestReady }
  | { readonly kind: 'status'; readonly report: GuestReport }
  /** A command of the server that the guest passes on, unchanged (rule R10). */
  | { readonly kind: 'relay'; readonly line: string }
  | { readonly kind: 'bye'; readonly reason: string }
  /** A line of the guest's own log, made harmless for terminals. */
  | { readonly kind: 'log'; readonly text: string }
  /** A line that claims to belong to the contract and does not. */
  | { readonly kind: 'refused'; readonly why: string; readonly text: string }
  /** Lines were dropped because they came too fast. */
  | { readonly kind: 'shed'; readonly lines: number };
