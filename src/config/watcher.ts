/**
 *
 * Reports when the configuration has changed and is stable again.
 *
 * It polls the identity, size and times of the files. This also detects an editor that replaces the file, and the symbolic
 * links that Kubernetes swaps, where inotify on a name loses track. The state of a file is taken before it is read, so that
 * a change in the middle of a reload is noticed after it.
 */
import { statSync } from 'node:fs';
import type { Clock, Timer } from '../resilience/clock.ts';

const POLL_MS = 500;

export class ConfigWatcher {
  readonly #clock: Clock;
  readonly #onChange: (changed: readonly string[]) => void;
  /** By file, its state when a change was last reported, or when the file was added. */
  #reported: FileStates;
  #seen: FileStates;
  #timer: Timer | null;

  /** `files`: each with its state before it was read. `onChange` gets the files that have changed. */
  constructor(files: FileStates, clock: Clock, onChange: (changed: readonly string[]) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#reported = files;
    this.#seen = files;
    this.#timer = clock.setTimer(look, POLL_MS, this as ConfigWatcher);
  }

  /** Replaces the files of the configuration, each with its state before it was read. */
  setFiles(files: FileStates): void {
    this.#reported = files;
    this.#seen = files;
  }

  /** The state of a file when a change was last reported; undefined: it is not watched. */
  stateOf(file: string): string | undefined {
    return this.#reported.get(file);
  }

  /** Watches also the files of a refused configuration, which may be the ones that have to change. */
  addFiles(files: FileStates): void {
    this.setFiles(new Map([...this.#reported, ...files]));
  }

  /** A change is reported when two checks in a row see the same state: nobody is writing any more. */
  look(): void {
    this.#timer = this.#clock.setTimer(look, POLL_MS, this as ConfigWatcher);
    const now = lookAt([...this.#reported.keys()]);
    const isAtRest = isSame(now, this.#seen);
    this.#seen = now;
    if (!isAtRest || isSame(now, this.#reported)) return;
    const changed = [...now]
      .filter(([file, state]) => this.#reported.get(file) !== state)
      .map(([file]) => file);
    this.#reported = now;
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

/** Follows symbolic links. The change time also detects new permissions, and content written with an old date. */
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
