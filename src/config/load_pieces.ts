/**
 * An order to load a configuration, and the result on its way from the thread that read it. It travels in pieces: 10,000 routes
 * in one message would hold up the event loop of the receiver for a quarter of a second.
 */
import type { RouteSettings } from '../routing/route.ts';
import { deepFreeze } from './deep_freeze.ts';
import { type Environment, type LoadResult, loadConfig, loadConfigText } from './loader.ts';
import type { Plan } from './plan.ts';
import { PlanOrigins } from './plan_origins.ts';
import type { FileStates } from './watcher.ts';

export interface LoadOrder {
  readonly file: string;
  readonly env: Environment;
  /** Instead of what the file contains now, with the states of the files that it was read from; null: the file is read. */
  readonly text: { readonly source: string; readonly files: FileStates } | null;
}

export function load({ file, env, text }: LoadOrder): LoadResult {
  return text === null ? loadConfig(file, env) : loadConfigText(text.source, file, env, text.files);
}

type Loaded = Extract<LoadResult, { kind: 'loaded' }>;

export type LoadPiece =
  /** The first one: everything but what follows. */
  | { readonly kind: 'result'; readonly result: Exclude<LoadResult, Loaded> | Omit<Loaded, 'origins'> }
  | { readonly kind: 'routes'; readonly routes: readonly RouteSettings[] }
  | { readonly kind: 'origins'; readonly origins: readonly (readonly [string, string])[] };

/** A message of this size takes one to two milliseconds to receive. */
const ROUTES_PER_PIECE = 100;
const ORIGINS_PER_PIECE = 1_000;

export function* piecesOf(result: LoadResult): Generator<LoadPiece, undefined> {
  if (result.kind !== 'loaded') {
    yield { kind: 'result', result };
    return;
  }
  const { origins, plan, ...rest } = result;
  const { routes } = plan;
  yield { kind: 'result', result: { ...rest, plan: { ...plan, routes: [] } } };
  for (let at = 0; at < routes.length; at += ROUTES_PER_PIECE)
    yield { kind: 'routes', routes: routes.slice(at, at + ROUTES_PER_PIECE) };
  const noted = [...origins.noted];
  for (let at = 0; at < noted.length; at += ORIGINS_PER_PIECE)
    yield { kind: 'origins', origins: noted.slice(at, at + ORIGINS_PER_PIECE) };
}

/** Puts the pieces together again, in the order in which they were made. */
export class ReceivedPieces {
  #result: Extract<LoadPiece, { kind: 'result' }>['result'] | null = null;
  readonly #routes: RouteSettings[] = [];
  readonly #origins = new Map<string, string>();

  add(piece: LoadPiece): void {
    switch (piece.kind) {
      case 'result':
        this.#result = piece.result;
        if (piece.result.kind === 'loaded') deepFreeze(piece.result.plan);
        break;
      case 'routes':
        for (const route of piece.routes) this.#routes.push(deepFreeze(route));
        break;
      case 'origins':
        for (const [path, origin] of piece.origins) this.#origins.set(path, origin);
    }
  }

  /** Once, after the last piece. */
  get result(): LoadResult {
    const result = this.#result;
    if (result === null) throw new Error('the first piece of the configuration is missing');
    if (result.kind !== 'loaded') return result;
    const plan: Plan = Object.freeze({ ...result.plan, routes: Object.freeze(this.#routes) });
    return { ...result, plan, origins: new PlanOrigins(this.#origins) };
  }
}
