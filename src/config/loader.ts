/**
 * From a file to a plan, or to everything that is wrong with it. Never throws for what a file holds.
 *
 *   text ── document ── later ── schema ── relations ── compile ── ties ── lint ── plan
 *            YAML,       refused  shape     between       files     between
 *            variables   keys               fields                  routes
 *
 * What the schema refuses is taken out (`salvage.ts`), so that the steps behind it find their problems too.
 */
import { basename, resolve } from 'node:path';
import type { RouteSettings } from '../routing/route.ts';
import { secretValues, withoutSecretValues } from '../security/secrets.ts';
import { relationProblems } from './check/check.ts';
import { lint } from './check/lint.ts';
import { type PlacedRoute, tieProblems } from './check/ties.ts';
import { compile } from './compile/compile.ts';
import { Materials } from './compile/materials.ts';
import type { Plan } from './plan.ts';
import { inOrder, type Problem } from './problems.ts';
import { PartialParse } from './schema/partial_parse.ts';
import { type Config, configSchema } from './schema/schema.ts';
import { schemaFindings } from './schema/schema_problems.ts';
import { findUnsupported } from './schema/unsupported.ts';
import { type Document, parseDocument, SOURCE_BYTES_MAX } from './text/document.ts';
import type { Path } from './text/path.ts';
import { keyOf } from './text/path.ts';
import { readTextFile } from './text/read_file.ts';
import type { Environment } from './text/variables.ts';
import { type FileStates, lookAt } from './watcher.ts';

export type { Environment } from './text/variables.ts';

export type LoadResult =
  | {
      readonly kind: 'loaded';
      readonly plan: Plan;
      /** For each leaf of the plan: `file:line:col` or `default`. */
      readonly origins: ReadonlyMap<string, string>;
      readonly warnings: readonly Problem[];
      /** What is not shown, whatever it is called: values of the environment. */
      readonly secrets: readonly string[];
      /** The file itself, certificates and keys, each as it was before it was read. */
      readonly files: FileStates;
      readonly source: string;
    }
  | {
      readonly kind: 'invalid';
      readonly problems: readonly Problem[];
      readonly files: FileStates;
      /** Where the process that runs with this file may be asked, if that much can be made out. */
      readonly admin: Plan['admin'] | null;
      readonly source: string;
    }
  | { readonly kind: 'unreadable'; readonly message: string };

export function loadConfig(file: string, env: Environment): LoadResult {
  const files = lookAt([resolve(file)]);
  const result = readTextFile(file, SOURCE_BYTES_MAX);
  if (result.kind === 'text') return loadConfigText(result.text, file, env, files);
  if (result.kind === 'unusable') {
    const place = {
      severity: 'error',
      file: basename(file),
      line: 1,
      column: 1,
      length: 1,
      path: '',
    } as const;
    return {
      kind: 'invalid',
      problems: [{ ...place, message: `cannot use the file: ${result.why}` }],
      files,
      admin: null,
      source: '',
    };
  }
  const hint = 'set the file with --config FILE or $FAIRLEAD_CONFIG';
  return {
    kind: 'unreadable',
    message: `cannot read the configuration file ${file}: ${result.why} (${hint})`,
  };
}

/** `file` need not exist; paths in the text are relative to its folder. */
export function loadConfigText(
  source: string,
  file: string,
  env: Environment,
  files: FileStates = lookAt([resolve(file)]),
): LoadResult {
  const { document, problems, unresolved, fromEnvironment } = parseDocument(source, basename(file), env);
  if (document === null) return { kind: 'invalid', problems, files, admin: null, source };
  const secrets = secretValues(fromEnvironment);
  const read = readConfig(document, unresolved);
  if (read.config === null) {
    const found = withoutSecretValues(inOrder([...problems, ...read.problems]), secrets);
    return { kind: 'invalid', problems: found, files, admin: null, source };
  }

  const { config, salvage } = read;
  const materials = new Materials(document, file);
  const { plan, origins, routes } = compile(config, document, materials);
  const wrong = [...problems, ...read.problems, ...relationProblems(config, document, salvage)];
  // A name that is misspelt, or what is left of a part that is refused, would only cause false warnings.
  const warnings = wrong.length === 0 ? [...lint(config, plan, document), ...materials.warnings] : [];
  const ties = tieProblems(placedRoutes(routes, salvage), document);
  const errors = [...wrong, ...materials.problems, ...ties];
  const allFiles = new Map([...files, ...materials.files]);
  if (errors.length > 0) {
    const found = withoutSecretValues(inOrder([...errors, ...warnings]), secrets);
    const admin = errors.some(({ path }) => path.startsWith('admin')) ? null : plan.admin;
    return { kind: 'invalid', problems: found, files: allFiles, admin, source };
  }
  return {
    kind: 'loaded',
    plan,
    origins,
    warnings: withoutSecretValues(inOrder(warnings), secrets),
    secrets,
    files: allFiles,
    source,
  };
}

interface Read {
  /** Null: nothing can be made of it. */
  readonly config: Config | null;
  readonly salvage: PartialParse;
  readonly problems: readonly Problem[];
}

/** Two rounds are the rule: one finds what is wrong, the next one runs without it. */
const ROUNDS_MAX = 8;

function readConfig(document: Document, unresolved: readonly Path[]): Read {
  const salvage = new PartialParse(structuredClone(document.value));
  const later = findUnsupported(document);
  for (const { path } of later) salvage.remove(path);
  const problems = later.map(({ problem }) => problem);
  const told = new Set(unresolved.map(keyOf));
  for (const path of unresolved) salvage.lose(path);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const parsed = configSchema.safeParse(salvage.value);
    if (parsed.success) return { config: nameByPlace(parsed.data, salvage), salvage, problems };
    const findings = schemaFindings(parsed.error, document);
    // What a later round finds is about the stubs.
    if (round === 0) {
      problems.push(...findings.filter(({ path }) => !told.has(keyOf(path))).map(({ problem }) => problem));
    }
    for (const { path, badKey } of findings) {
      if (badKey === undefined) salvage.cut(path);
      else {
        salvage.remove(path);
        if (badKey.meant !== undefined) salvage.lose([...path.slice(0, -1), badKey.meant]);
      }
    }
  }
  return { config: null, salvage, problems };
}

/** Routes without a usable name are spoken of by their place. */
function nameByPlace(config: Config, salvage: PartialParse): Config {
  const routes = config.routes.map((route, at) => {
    return salvage.isLost(['routes', at, 'name']) ? { ...route, name: `[${at}]` } : route;
  });
  return { ...config, routes };
}

/** Without those whose match, listeners or name are not known. */
function placedRoutes(routes: readonly RouteSettings[], salvage: PartialParse): PlacedRoute[] {
  return routes
    .map((route, at) => ({ ...route, at }))
    .filter(({ at }) => !['match', 'listeners', 'name'].some(key => salvage.isLost(['routes', at, key])));
}
