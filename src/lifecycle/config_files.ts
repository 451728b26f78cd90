/** Watches the files of the configuration while the plan says so. */
import { ConfigWatcher, type FileStates } from '../config/watcher.ts';
import type { Clock } from '../resilience/clock.ts';

export class ConfigFiles {
  readonly #clock: Clock;
  readonly #onChange: (changed: readonly string[]) => void;
  #watcher: ConfigWatcher | null = null;

  constructor(clock: Clock, onChange: (changed: readonly string[]) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Sets the files, as they were when they were read. */
  watch(files: FileStates, isWanted: boolean): void {
    if (!isWanted) this.close();
    else if (this.#watcher === null) this.#watcher = new ConfigWatcher(files, this.#clock, this.#onChange);
    else this.#watcher.setFiles(files);
  }

  /** The state of a file when a change was last reported; undefined when nothing is watched. */
  stateOf(file: string): string | undefined {
    return this.#watcher?.stateOf(file);
  }

  /** Watches also the files that a refused configuration names, because they may appear. */
  add(files: FileStates): void {
    this.#watcher?.addFiles(files);
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}
