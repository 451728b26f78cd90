/**
 * Tells when the configuration has changed and has come to rest.
 *
 * It looks at the files by polling their identity, size and times: that also sees an editor that replaces the
 * file, and the symbolic links that Kubernetes swaps, where watching a name by inotify loses track. What a file was
 * like is remembered from before it was read, so that a change in the middle of a reload is seen after it.
 */
import { statSync } from 'node:fs';
import type { Clock, Timer } from '../resilience/clock.ts';

const POLL_MS = 500;

export class ConfigWatcher {
  readonly #clock: Clock;
  readonly #onChange: (changed: readonly string[]) => void;
  /** By file, what was there when a change was last told, or when the file came to be watched. */
  #told: FileStates;
  #seen: FileStates;
  #timer: Timer | null;

  /** `files`: each as it was before it was read. `onChange` is given those that have changed. */
  constructor(files: FileStates, clock: Clock, onChange: (changed: readonly string[]) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#told = files;
    this.#seen = files;
    this.#timer = clock.setTimer(look, POLL_MS, this as ConfigWatcher);
  }

  /** Other files belong to the configuration now, each as it was before it was read. */
  setFiles(files: FileStates): void {
    this.#told = files;
    this.#seen = files;
  }

  /** How a file was when a change was last told; undefined: it is not watched. */
  stateOf(file: string): string | undefined {
    return this.#told.get(file);
  }

  /** A configuration was refused: its files may be what has to change, beside those of the one that runs. */
  addFiles(files: FileStates): void {
    this.setFiles(new Map([...this.#told, ...files]));
  }

  /** A change is told when two looks in a row see the same: nobody is in the middle of writing. */
  look(): void {
    this.#timer = this.#clock.setTimer(look, POLL_MS, this as ConfigWatcher);
    const now = lookAt([...this.#told.keys()]);
    const isAtRest = isSame(now, this.#seen);
    this.#seen = now;
    if (!isAtRest || isSame(now, this.#told)) return;
    const changed = [...now].filter(([file, state]) => this.#told.get(file) !== state).map(([file]) => file);
    this.#told = now;
    this.#onChange(changed);
  }

  close(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
  }
}

/** What identifies the content of each file, by absolute path. */
export type FileStates = ReadonlyMap<string, string>;

function look(watcher: ConfigWatcher): void {
  watcher.look();
}

export function lookAt(files: readonly string[]): FileStates {
  return new Map(files.map(file => [file, stateOfFile(file)]));
}

/** Follows symbolic links. The change time also tells of new rights, and of a content written with an old date. */
export function stateOfFile(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return 'absent';
  }
}

function isSame(a: FileStates, b: FileStates): boolean {
  return a.size === b.size && [...a].every(([file, state]) => b.get(file) === state);
}
