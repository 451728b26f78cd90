/**
 * From a file to a plan, or to everything that is wrong with it. Never throws because of the content of a file.
 *
 *   text ── document ── defaults ── unsupported ── schema ── relations ── compile ── ties ── lint ── plan
 *            YAML,       merged      refused        shape     between       files     between
 *            variables   into items  keys                     fields                  routes
 *
 * What the schema refuses is removed (`schema/partial_parse.ts`), so that the later steps find their problems too.
 */
import { basename, resolve } from 'node:path';
import type { RouteSettings } from '../routing/route.ts';
import { secretValues, withoutSecretValues } from '../security/secrets.ts';
import { relationProblems } from './check/check.ts';
import { lint } from './check/lint.ts';
import { type NumberedRoute, tieProblems } from './check/ties.ts';
import { compile } from './compile/compile.ts';
import { Materials } from './compile/materials.ts';
import type { Plan } from './plan.ts';
import type { PlanOrigins } from './plan_origins.ts';
import { inOrder, type Problem } from './problems.ts';
import { inheritDefaults } from './schema/inheritance.ts';
import { refusedDefaults } from './schema/item_defaults.ts';
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
      readonly origins: PlanOrigins;
      readonly warnings: readonly Problem[];
      /** Values from environment variables, which are never shown. */
      readonly secrets: readonly string[];
      /** The file itself, certificates and keys, each as it was before it was read. */
      readonly files: FileStates;
      readonly source: string;
    }
  | {
      readonly kind: 'invalid';
      readonly problems: readonly Problem[];
      readonly files: FileStates;
      /** Admin address of the process that runs with this file, if it can be determined. */
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

/** `file` need not exist. Paths in the text are relative to its folder. */
export function loadConfigText(
  source: string,
  file: string,
  env: Environment,
  files: FileStates = lookAt([resolve(file)]),
): LoadResult {
  const parsed = parseDocument(source, basename(file), env);
  const { unresolved, fromEnvironment } = parsed;
  if (parsed.document === null)
    return { kind: 'invalid', problems: parsed.problems, files, admin: null, source };
  const { document, problems: tooMuch } = inheritDefaults(parsed.document);
  const problems = [...parsed.problems, ...tooMuch];
  const secrets = secretValues(fromEnvironment);
  const read = readConfig(document, unresolved);
  if (read.config === null) {
    const found = withoutSecretValues(inOrder([...problems, ...read.problems]), secrets);
    return { kind: 'invalid', problems: found, files, admin: null, source };
  }

  const { config, partial } = read;
  const materials = new Materials(document, file, env);
  const { plan, origins, routes } = compile(config, document, materials);
  const wrong = [...problems, ...read.problems, ...relationProblems(config, document, partial)];
  // A misspelt name, or the rest of a refused part, would only cause false warnings.
  const warnings = wrong.length === 0 ? [...lint(config, plan, document), ...materials.warnings] : [];
  const ties = tieProblems(numberedRoutes(routes, partial), document);
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
  /** Null: nothing of the file can be used. */
  readonly config: Config | null;
  readonly partial: PartialParse;
  readonly problems: readonly Problem[];
}

/** Usually two rounds: one finds the problems, the next one runs without the refused parts. */
const ROUNDS_MAX = 8;

function readConfig(document: Document, unresolved: readonly Path[]): Read {
  const partial = new PartialParse(structuredClone(document.value));
  const later = [...findUnsupported(document), ...refusedDefaults(document)];
  for (const { path } of later) partial.remove(path);
  const problems = later.map(({ problem }) => problem);
  const reported = new Set(unresolved.map(keyOf));
  for (const path of unresolved) partial.markLost(path);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const parsed = configSchema.safeParse(partial.value);
    if (parsed.success) return { config: nameByIndex(parsed.data, partial), partial, problems };
    const findings = schemaFindings(parsed.error, document);
    // Problems of a later round are about the stubs, and those of inherited values are found where these are written.
    if (round === 0) {
      problems.push(
        ...findings
          .filter(({ path }) => !reported.has(keyOf(path)) && document.inheritedFrom(path) === null)
          .map(({ problem }) => problem),
      );
    }
    for (const { path, badKey } of findings) {
      if (badKey === undefined) partial.cut(path);
      else {
        partial.remove(path);
        for (const meant of badKey.meant) partial.markLost([...path.slice(0, -1), meant]);
      }
    }
  }
  return { config: null, partial, problems };
}

/** Routes without a usable name are identified by their index. */
function nameByIndex(config: Config, partial: PartialParse): Config {
  const routes = config.routes.map((route, at) => {
    return partial.isLost(['routes', at, 'name']) ? { ...route, name: `[${at}]` } : route;
  });
  return { ...config, routes };
}

/** Without routes whose match, listeners or name are unknown. */
function numberedRoutes(routes: readonly RouteSettings[], partial: PartialParse): NumberedRoute[] {
  return routes
    .map((route, at) => ({ ...route, at }))
    .filter(({ at }) => !['match', 'listeners', 'name'].some(key => partial.isLost(['routes', at, key])));
}
