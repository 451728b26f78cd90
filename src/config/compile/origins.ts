/**
 * Takes the written value of a setting, else that of the preset, else the default, and notes the origin of each value of the
 * plan: `file:line:col`, `file:line:col (defaults)`, `file:line:col (preset NAME)`, `$VARIABLE`, or `default`. A `Scope` does so for
 * one listener, route or cluster.
 */
import assert from 'node:assert/strict';
import { DEFAULT_ORIGIN, nearestOrigin, PlanOrigins } from '../plan_origins.ts';
import {
  CHOICES,
  type ChoiceId,
  type ChoiceValue,
  NUMBERS,
  type NumberId,
  type NumberSetting,
} from '../schema/defaults.ts';
import type { Document } from '../text/document.ts';
import { type Path, valueAt } from '../text/path.ts';

/** The origins of a plan while it is compiled. */
export class Origins {
  readonly #document: Document;
  readonly #noted = new Map<string, string>();

  constructor(document: Document) {
    this.#document = document;
  }

  /** Null, or a path that is not written, means a default. */
  note(planPath: string, configPath: Path | null): void {
    const origin = (configPath === null ? null : this.#placeOf(configPath, [])) ?? DEFAULT_ORIGIN;
    if (origin !== nearestOrigin(this.#noted, planPath)) this.#noted.set(planPath, origin);
  }

  /** It has the value, and so the origin, of another place in the plan that was noted before. */
  noteSame(planPath: string, other: string): void {
    this.#noted.set(planPath, nearestOrigin(this.#noted, other));
  }

  /** An environment variable that the configuration does not name has set it. */
  noteVariable(planPath: string, variable: string): void {
    this.#noted.set(planPath, `$${variable}`);
  }

  /** The preset written there has set it. */
  notePreset(planPath: string, { name, path }: PresetLayer): void {
    this.#noted.set(planPath, this.#placeOf(path, [`preset ${name}`]) ?? `(preset ${name})`);
  }

  /** Notes an entry of a part, if it comes from elsewhere than the part. */
  noteInherited(planPath: string, configPath: Path): void {
    if (this.#document.inheritedFrom(configPath) !== null) this.note(planPath, configPath);
  }

  /** `edge.yaml:3:5 (defaults)`: the part of the file in parentheses, where the value is not written at its own path. */
  #placeOf(path: Path, notes: readonly string[]): string | null {
    const place = this.#document.origin(path);
    if (place === null) return null;
    const from = this.#document.inheritedFrom(path);
    const all = from === null ? notes : [String(from[0]), ...notes];
    return all.length === 0 ? place : `${place} (${all.join(', ')})`;
  }

  get noted(): PlanOrigins {
    return new PlanOrigins(this.#noted);
  }
}

/** What stands between what is written and the defaults. */
export interface PresetLayer {
  readonly name: string;
  /** Where it is written. */
  readonly path: Path;
  readonly numbers: Partial<Readonly<Record<NumberId, number>>>;
}

/** Null is `off`. */
type Written = number | null | undefined;

export class Scope {
  readonly #origins: Origins;
  readonly #written: unknown;
  readonly #planBase: string;
  readonly #configBase: Path;
  readonly #idLength: number;
  readonly #preset: PresetLayer | null;

  /** The first `idLength` parts of the id of a setting stand for the scope itself: `clusters.endpoints`. */
  constructor(
    origins: Origins,
    written: unknown,
    planBase: string,
    configBase: Path,
    idLength = 1,
    preset: PresetLayer | null = null,
  ) {
    this.#preset = preset;
    this.#origins = origins;
    this.#written = written;
    this.#planBase = planBase;
    this.#configBase = configBase;
    this.#idLength = idLength;
  }

  /** A number that may be off. */
  limit(plan: string, id: NumberId): number | null {
    const { value }: NumberSetting = NUMBERS[id];
    const path = this.#pathOf(id);
    const written = valueAt(this.#written, path) as Written;
    const preset = this.#preset?.numbers[id];
    if (written === undefined && preset !== undefined) return this.ofPreset(plan, preset);
    this.note(plan, written === undefined ? null : path);
    return written === undefined ? value : written;
  }

  /** A value that the preset sets. */
  ofPreset<T>(plan: string, value: T): T {
    assert(this.#preset !== null, 'a listener without a preset has no values of one');
    this.#origins.notePreset(`${this.#planBase}.${plan}`, this.#preset);
    return value;
  }

  /** A number that cannot be off; the schema has checked that. */
  number(plan: string, id: NumberId): number {
    const value = this.limit(plan, id);
    if (value === null) throw new Error(`${id} cannot be off`);
    return value;
  }

  choice<Id extends ChoiceId>(plan: string, id: Id): ChoiceValue<Id> {
    const path = this.#pathOf(id);
    const written = valueAt(this.#written, path) as ChoiceValue<Id> | undefined;
    this.note(plan, written === undefined ? null : path);
    return written === undefined ? CHOICES[id].value : written;
  }

  /** A part of the plan, with its path in the configuration. */
  part<T>(plan: string, config: Path, value: T): T {
    this.note(plan, config);
    return value;
  }

  note(plan: string, config: Path | null): void {
    this.#origins.note(
      `${this.#planBase}.${plan}`,
      config === null ? null : [...this.#configBase, ...config],
    );
  }

  /** An entry of a part, which may come from elsewhere than the part. */
  noteEntry(plan: string, config: Path): void {
    this.#origins.noteInherited(`${this.#planBase}.${plan}`, [...this.#configBase, ...config]);
  }

  #pathOf(id: string): Path {
    return id.split('.').slice(this.#idLength);
  }
}
