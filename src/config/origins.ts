/** Takes a setting or its default, and notes which of the two it was and where it stands. */
import { SETTINGS, type Setting, type SettingId } from './defaults.ts';
import type { Document, Path } from './document.ts';

export class Origins {
  readonly #document: Document;
  readonly all = new Map<string, string>();

  constructor(document: Document) {
    this.#document = document;
  }

  /** Null: a default. */
  note(planPath: string, configPath: Path | null): void {
    this.all.set(planPath, (configPath === null ? null : this.#document.origin(configPath)) ?? 'default');
  }

  value<T>(planPath: string, configPath: Path, written: T | undefined, otherwise: T): T {
    this.note(planPath, written === undefined ? null : configPath);
    return written ?? otherwise;
  }

  /** A number that may be off. */
  limit(
    planPath: string,
    configPath: Path | null,
    written: number | null | undefined,
    id: SettingId,
  ): number | null {
    this.note(planPath, written === undefined ? null : configPath);
    return written === undefined ? (SETTINGS[id] as Setting).value : written;
  }

  /** A number that cannot be off: the schema has seen to that. */
  number(
    planPath: string,
    configPath: Path | null,
    written: number | null | undefined,
    id: SettingId,
  ): number {
    const value = this.limit(planPath, configPath, written, id);
    if (value === null) throw new Error(`${id} cannot be off`);
    return value;
  }

  /** The same with both paths relative to a place. */
  scope(planBase: string, configBase: Path): Scope {
    return new Scope(this, planBase, configBase);
  }
}

class Scope {
  readonly #origins: Origins;
  readonly #planBase: string;
  readonly #configBase: Path;

  constructor(origins: Origins, planBase: string, configBase: Path) {
    this.#origins = origins;
    this.#planBase = planBase;
    this.#configBase = configBase;
  }

  value<T>(plan: string, config: Path, written: T | undefined, otherwise: T): T {
    return this.#origins.value(
      `${this.#planBase}.${plan}`,
      [...this.#configBase, ...config],
      written,
      otherwise,
    );
  }
  limit(plan: string, config: Path | null, written: number | null | undefined, id: SettingId): number | null {
    return this.#origins.limit(
      `${this.#planBase}.${plan}`,
      config === null ? null : [...this.#configBase, ...config],
      written,
      id,
    );
  }
  number(plan: string, config: Path | null, written: number | null | undefined, id: SettingId): number {
    return this.#origins.number(
      `${this.#planBase}.${plan}`,
      config === null ? null : [...this.#configBase, ...config],
      written,
      id,
    );
  }

  /** A value of its own, else one that another place has, whose line is then the origin. */
  inherit(
    plan: string,
    config: Path | null,
    written: number | null | undefined,
    from: Path,
    inherited: number | null,
    inheritedWritten: boolean,
  ): number | null {
    if (config !== null && written !== undefined) {
      this.#origins.note(`${this.#planBase}.${plan}`, [...this.#configBase, ...config]);
      return written;
    }
    this.#origins.note(`${this.#planBase}.${plan}`, inheritedWritten ? from : null);
    return inherited;
  }
}
