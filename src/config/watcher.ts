/**
 * Tells when the configuration has changed and has come to rest.
 *
 * It looks at the files by polling their identity, size and time: that also sees an editor that replaces the
 * file, and the symbolic links that Kubernetes swaps, where watching a name by inotify loses track.
 */
import { statSync } from 'node:fs';
import type { Clock, Timer } from '../resilience/clock.ts';

const POLL_MS = 500;

export class ConfigWatcher {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #files: readonly string[];
  #reported: string;
  #seen: string;
  #timer: Timer | null;

  constructor(files: readonly string[], clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#files = files;
    this.#reported = fingerprint(files);
    this.#seen = this.#reported;
    this.#timer = clock.setTimer(poll, POLL_MS, this as ConfigWatcher);
  }

  /** Other files belong to the configuration now. */
  setFiles(files: readonly string[]): void {
    this.#files = files;
    this.#reported = fingerprint(files);
    this.#seen = this.#reported;
  }

  /** A change is reported when two looks in a row see the same: nobody is in the middle of writing. */
  look(): void {
    const now = fingerprint(this.#files);
    const atRest = now === this.#seen;
    this.#seen = now;
    this.#timer = this.#clock.setTimer(poll, POLL_MS, this as ConfigWatcher);
    if (!atRest || now === this.#reported) return;
    this.#reported = now;
    this.#onChange();
  }

  close(): void {
    this.#clock.cancelTimer(this.#timer);
  }
}

function poll(watcher: ConfigWatcher): void {
  watcher.look();
}

function fingerprint(files: readonly string[]): string {
  return files
    .map(file => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? 'absent' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    })
    .join(' ');
}
