/**
 * Valid plans for tests, by the way that every plan goes: a text or object is loaded and compiled, with every
 * default. An object is as good as YAML, for JSON is YAML.
 */
import { type LoadResult, loadConfigText } from '../../src/config/loader.ts';
import type { Plan } from '../../src/config/plan.ts';
import { formatProblems } from '../../src/config/problems.ts';

export type Loaded = Extract<LoadResult, { kind: 'loaded' }>;
/** YAML, or what it would say. */
export type Config = string | Readonly<Record<string, unknown>>;

export function configText(config: Config): string {
  return typeof config === 'string' ? config : JSON.stringify(config, null, 2);
}

/** Fails with the problems as a person would see them. */
export function load(config: Config, file = 'test.yaml'): Loaded {
  const text = configText(config);
  const result = loadConfigText(text, file, process.env);
  if (result.kind === 'loaded') return result;
  const why =
    result.kind === 'invalid' ? formatProblems(result.problems, text, { color: false }) : result.message;
  throw new Error(`the configuration of the test is not valid:\n${why}\n${text}`);
}

export function planOf(config: Config): Plan {
  return load(config).plan;
}

export interface ForwardOptions {
  /** Of the listener `main`, the route `all`, the cluster `app`, and the process. */
  readonly listener?: Readonly<Record<string, unknown>>;
  readonly route?: Readonly<Record<string, unknown>>;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly process?: Readonly<Record<string, unknown>>;
  /** More at the top: other listeners, routes and clusters go with the ones above. */
  readonly listeners?: Readonly<Record<string, unknown>>;
  readonly routes?: readonly unknown[];
  readonly clusters?: Readonly<Record<string, unknown>>;
  readonly stores?: Readonly<Record<string, unknown>>;
  readonly admin?: unknown;
  readonly logging?: unknown;
}

/** Everything that comes to any free port goes to these endpoints. */
export function forwardTo(
  endpoints: readonly unknown[],
  options: ForwardOptions = {},
): Record<string, unknown> {
  return {
    version: 1,
    admin: options.admin ?? 'off',
    // The test shares its event loop with the proxy, and holds it up.
    process: {
      drain: { timeout: '5s' },
      reload: { watch: false },
      overload: { eventLoopDelay: 'off' },
      ...options.process,
    },
    ...(options.logging === undefined ? {} : { logging: options.logging }),
    listeners: { main: { address: '127.0.0.1:0', ...options.listener }, ...options.listeners },
    routes: [
      { name: 'all', match: { path: { prefix: '/' } }, forward: { cluster: 'app' }, ...options.route },
      ...(options.routes ?? []),
    ],
    clusters: { app: { endpoints, ...options.cluster }, ...options.clusters },
    ...(options.stores === undefined ? {} : { stores: options.stores }),
  };
}
