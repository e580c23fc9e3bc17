import type { ProcessExit, ProcessIdentity, SpawnRequest } from './spawner.ts';

/** The messages on the IPC channel between `launcher.ts` and the process that runs `launcher-main.ts`. */
export interface ToLauncher {
  readonly kind: 'spawn';
  readonly id: number;
  readonly request: SpawnRequest;
}

export type FromLauncher =
  | { readonly kind: 'spawned'; readonly id: number; readonly identity: ProcessIdentity }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly kind: 'exited'; readonly identity: ProcessIdentity; readonly exit: ProcessExit }
  /** The wrapper of a process has ended and the process goes on: the launcher hears no more of it. */
  | { readonly kind: 'unwatched'; readonly identity: ProcessIdentity };
