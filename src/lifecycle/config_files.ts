/** The files of the configuration, watched while the plan says so. */
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

  /** These files, as they were when they were read. */
  watch(files: FileStates, isWanted: boolean): void {
    if (!isWanted) this.close();
    else if (this.#watcher === null) this.#watcher = new ConfigWatcher(files, this.#clock, this.#onChange);
    else this.#watcher.setFiles(files);
  }

  /** As it was when a change was last told; undefined: nothing is watched. */
  stateOf(file: string): string | undefined {
    return this.#watcher?.stateOf(file);
  }

  /** What a refused configuration has named may appear. */
  add(files: FileStates): void {
    this.#watcher?.addFiles(files);
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}
