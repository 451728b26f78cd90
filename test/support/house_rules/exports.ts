/** What is exported is imported: by another file of src, by a test, or by a program beside them. */
import { resolveImport } from './imports.ts';
import { type Breach, lineOf, type Source } from './source.ts';

const DECLARED =
  /(?<![.\w$])export\s+(?:abstract\s+|async\s+|declare\s+)*(?:const|let|function\*?|class|interface|type)\s+([\w$]+)/g;
const LISTED = /(?<![.\w$])export\s+(?:type\s+)?\{([^}]*)\}/g;
/** `import a, { b as c } from './d.ts'`, `import * as a from`, `export { b } from`. */
const STATIC = /(?<![.\w$])(?:import|export)\s+(?:type\s+)?([\w$*\s,]*(?:\{[^}]*\})?)\s*from\s*(['"])\s*\2/g;
/** `const { a: b } = await import('./c.ts')`; with anything else in front, all of the file is taken. */
const DYNAMIC = /(?:\{([^{}]*)\}\s*=\s*await\s+)?(?<![.\w$])import\s*\(\s*(['"])\s*\2/g;
const EVERYTHING = '*';

export function checkExports(sources: readonly Source[], importers: readonly Source[]): Breach[] {
  const taken = new Set(importers.flatMap(importsByName));
  return sources.flatMap(source => {
    if (taken.has(`${source.path} ${EVERYTHING}`)) return [];
    return exportsOf(source)
      .filter(({ name }) => !taken.has(`${source.path} ${name}`))
      .map(({ name, line }) => ({
        path: source.path,
        line,
        message: `nobody imports ${name}: take "export" away, or all of it if nothing here uses it either`,
      }));
  });
}

function exportsOf(source: Source): { readonly name: string; readonly line: number }[] {
  const found: { name: string; line: number }[] = [];
  for (const match of source.code.matchAll(DECLARED))
    found.push({ name: match[1] ?? '', line: lineOf(source.text, match.index) });
  for (const match of source.code.matchAll(LISTED))
    for (const { as } of namesIn(match[1] ?? ''))
      found.push({ name: as, line: lineOf(source.text, match.index) });
  return found;
}

/** `path name` of each thing that the file takes from another one. */
function importsByName(source: Source): string[] {
  const found: string[] = [];
  for (const [pattern, separator] of [
    [STATIC, /\s+as\s+/],
    [DYNAMIC, /\s*:\s*/],
  ] as const) {
    for (const match of source.code.matchAll(pattern)) {
      const matched = source.text.slice(match.index, match.index + match[0].length);
      const path = resolveImport(source, /['"]([^'"]*)['"]$/.exec(matched)?.[1] ?? '');
      const clause = match[1] ?? EVERYTHING;
      const list = pattern === STATIC ? /\{([^}]*)\}/.exec(clause)?.[1] : clause;
      if (path === null) continue;
      if (list === undefined || list.includes(EVERYTHING)) found.push(`${path} ${EVERYTHING}`);
      else for (const { name } of namesIn(list, separator)) found.push(`${path} ${name}`);
    }
  }
  return found;
}

function namesIn(list: string, separator = /\s+as\s+/): { readonly name: string; readonly as: string }[] {
  return list
    .split(',')
    .map(item => item.trim().replace(/^type\s+/, ''))
    .filter(item => item !== '')
    .map(item => {
      const [name = '', as = name] = item.split(separator);
      return { name, as };
    });
}
