/**
 * Takes what is written or its default, and notes where each value of the plan comes from: `file:line:col`, or
 * `default`. A `Scope` does so for one listener, route or cluster.
 */

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

  /** Null, or a path that is not written: a default. */
  note(planPath: string, configPath: Path | null): void {
    const origin = (configPath === null ? null : this.#document.origin(configPath)) ?? DEFAULT_ORIGIN;
    if (origin !== nearestOrigin(this.#noted, planPath)) this.#noted.set(planPath, origin);
  }

  get noted(): PlanOrigins {
    return new PlanOrigins(this.#noted);
  }
}

/** Null is `off`. */
type Written = number | null | undefined;

export class Scope {
  readonly #origins: Origins;
  readonly #written: unknown;
  readonly #planBase: string;
  readonly #configBase: Path;
  readonly #idLength: number;

  /** The first `idLength` parts of the id of a setting stand for the scope itself: `clusters.endpoints`. */
  constructor(origins: Origins, written: unknown, planBase: string, configBase: Path, idLength = 1) {
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
    this.note(plan, written === undefined ? null : path);
    return written === undefined ? value : written;
  }

  /** A number that cannot be off: the schema has seen to that. */
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

  /** A part of the plan with its place in the configuration. */
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

  #pathOf(id: string): Path {
    return id.split('.').slice(this.#idLength);
  }
}
