import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, extname } from 'node:path';
import type { CancelTimer, Clock } from '../../actors/mod.ts';
import { signatureOf } from '../../file-signature.ts';
import { SERVICE_EXTENSIONS } from './service-kind.ts';

/** The files and folders of a service, each with its signature from before it was read. */
export type Inputs = ReadonlyMap<string, string>;

export interface SourceWatch {
  /** From now on these are watched. It tells of one that has changed since it was read. */
  update(inputs: Inputs): void;
  close(): void;
}

/** Folders that cannot be watched, such as those of a network, are looked at in this interval, and the others too. */
const LOOK_MS = 1_000;
/** What a service may be, and what it may include. */
const SOURCES: ReadonlySet<string> = new Set([...SERVICE_EXTENSIONS, '.json', '.h', '.inc']);
/** A package's files change when it is installed, and there are thousands. */
const PACKAGES = '/node_modules/';

/**
 * Tells of changes to a service's files, in whatever way an editor saves: it may write into the file, or rename another one over it. It may
 * tell of a change that is none.
 */
export function watchSources(clock: Clock, onChange: () => void): SourceWatch {
  const watchers = new Map<string, FSWatcher>();
  /** The service's files as they were last seen. */
  const seen = new Map<string, string>();
  let cancel: CancelTimer = () => undefined;

  /** Takes the files as they are now. @returns whether one of them has changed since the last time */
  const noteChanges = (): boolean => {
    const changed = [...seen].filter(([path, before]) => signatureOf(path) !== before);
    for (const [path] of changed) seen.set(path, signatureOf(path));
    return changed.length > 0;
  };
  const look = (): void => {
    if (noteChanges()) onChange();
    cancel = clock.timer(LOOK_MS, look);
  };
  const open = (folder: string): FSWatcher | undefined => {
    try {
      // A rename over a file ends a watch of the file, and not that of its folder.
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name !== null && !SOURCES.has(extname(name))) return;
        // The next look is not to tell the same.
        noteChanges();
        onChange();
      });
      watcher.on('error', () => watchers.delete(folder));
      return watcher;
    } catch {
      // The looks in intervals see it.
      return undefined;
    }
  };
  const forget = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };

  cancel = clock.timer(LOOK_MS, look);
  return {
    update(files) {
      const inputs = new Map([...files].filter(([path]) => !path.includes(PACKAGES)));
      for (const path of seen.keys()) if (!inputs.has(path)) seen.delete(path);
      // One that is known and has changed was told of, or will be by the next look.
      for (const [path, signature] of inputs) if (!seen.has(path)) seen.set(path, signature);
      const folders = new Set([...inputs.keys()].map(folderOf));
      for (const folder of [...watchers.keys()]) if (!folders.has(folder)) forget(folder);
      for (const folder of folders) {
        const watcher = watchers.has(folder) ? undefined : open(folder);
        if (watcher !== undefined) watchers.set(folder, watcher);
      }
      if (noteChanges()) onChange();
    },
    close() {
      cancel();
      for (const folder of [...watchers.keys()]) forget(folder);
    },
  };
}

/** A folder of C++ is an input itself. */
function folderOf(input: string): string {
  try {
    return statSync(input).isDirectory() ? input : dirname(input);
  } catch {
    return dirname(input);
  }
}
