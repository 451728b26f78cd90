/** From a file to a plan, or to everything that is wrong with it. Never throws for what a file holds. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { compile } from './compile.ts';
import { parseDocument } from './document.ts';
import { lint } from './lint.ts';
import { Materials } from './materials.ts';
import type { Plan } from './plan.ts';
import type { Problem } from './problems.ts';
import { configSchema } from './schema.ts';
import { schemaProblems } from './schema_problems.ts';
import { relationProblems, tieProblems } from './validation.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type LoadResult =
  | {
      readonly kind: 'loaded';
      readonly plan: Plan;
      readonly origins: ReadonlyMap<string, string>;
      readonly warnings: readonly Problem[];
      /** Certificates and keys, absolute: a change of one is a change of the configuration. */
      readonly materialFiles: readonly string[];
      readonly source: string;
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly source: string }
  | { readonly kind: 'unreadable'; readonly message: string };

export function loadConfig(file: string, env: Environment): LoadResult {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EACCES'
          ? 'this user may not read it'
          : code === 'EISDIR'
            ? 'it is a folder'
            : code;
    return {
      kind: 'unreadable',
      message: `cannot read the configuration ${file}: ${why} (name one with --config FILE or $FAIRLEAD_CONFIG)`,
    };
  }
  return loadConfigText(source, file, env);
}

export function loadConfigText(source: string, file: string, env: Environment): LoadResult {
  const { document, problems } = parseDocument(source, basename(file), env);
  if (document === null) return { kind: 'invalid', problems, source };
  const parsed = configSchema.safeParse(document.value);
  if (!parsed.success)
    return {
      kind: 'invalid',
      problems: inOrder([...problems, ...schemaProblems(parsed.error, document)]),
      source,
    };
  const config = parsed.data;
  const related = [...problems, ...relationProblems(config, document)];
  if (related.length > 0) return { kind: 'invalid', problems: inOrder(related), source };

  const materials = new Materials(document, file);
  const { plan, origins } = compile(config, document, materials);
  const late = [...materials.problems, ...tieProblems(plan.routes, config, document)];
  const warnings = inOrder(lint(config, plan, document));
  if (late.length > 0) return { kind: 'invalid', problems: inOrder([...late, ...warnings]), source };
  return { kind: 'loaded', plan, origins, warnings, materialFiles: materials.files, source };
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}
