/** Who imports whom: the order of the folders, cycles, barrels, files that nobody reaches. */
import { posix } from 'node:path';
import { type Breach, lineOf, type Source } from './source.ts';

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** `import type`; `import { type A }` leaves an import behind at run time and is none. */
  readonly typeOnly: boolean;
  readonly reExport: boolean;
}

/** A folder may import the folders to its left (docs/architecture.md). */
export const FOLDERS = [
  'resilience',
  'net',
  'security',
  'health',
  'load_balancer',
  'routing',
  'observability',
  'http',
  'config',
  'lifecycle',
  'admin',
  'cli',
  'main.ts',
] as const;

/** These take only types from `net`: they decide, sockets are opened elsewhere. */
const ONLY_TYPES_FROM_NET = new Set(['security', 'health', 'load_balancer', 'routing']);

const STATEMENT = /(?<![.\w$])(import|export)\s+(type\s+)?(?:[\w$*{}\s,]*?\bfrom\s*)?(['"])\s*\3/g;
const DYNAMIC = /(?<![.\w$])import\s*\(\s*(['"])\s*\1/g;

export function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  for (const pattern of [STATEMENT, DYNAMIC]) {
    for (const match of source.code.matchAll(pattern)) {
      const matched = source.text.slice(match.index, match.index + match[0].length);
      found.push({
        specifier: /['"]([^'"]*)['"]$/.exec(matched)?.[1] ?? '',
        line: lineOf(source.text, match.index),
        typeOnly: pattern === STATEMENT && match[2] !== undefined,
        reExport: match[1] === 'export',
      });
    }
  }
  return found;
}

/** The path of the imported file, or null for a package or a module of Node. */
export function resolveImport(source: Source, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(source.path), specifier) : null;
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

export function checkImportOrder(sources: readonly Source[]): Breach[] {
  const breaches: Breach[] = [];
  for (const source of sources) {
    const folder = folderOf(source.path);
    const rank = FOLDERS.indexOf(folder as (typeof FOLDERS)[number]);
    const complain = (line: number, message: string) => breaches.push({ path: source.path, line, message });
    if (rank === -1)
      complain(1, `the folder "${folder}" is not in DESIGN.md section 2: ${FOLDERS.join(' → ')}`);
    for (const { specifier, line, typeOnly } of importsOf(source)) {
      const target = resolveImport(source, specifier);
      if (target === null) continue;
      if (!target.startsWith('src/')) {
        complain(line, `src imports nothing outside src, but this is ${target}: it would not be in dist`);
        continue;
      }
      const targetFolder = folderOf(target);
      if (FOLDERS.indexOf(targetFolder as (typeof FOLDERS)[number]) > rank) {
        complain(
          line,
          `${folder} may not import ${targetFolder}: move the shared type to the left, or pass it by parameter`,
        );
      } else if (targetFolder === 'net' && ONLY_TYPES_FROM_NET.has(folder) && !typeOnly) {
        complain(
          line,
          `${folder} takes only types from net: write "import type", or pass the function by parameter`,
        );
      }
    }
  }
  return breaches;
}

/**
 * A folder inside a folder of src is an inner folder (`config/text`, `net/upstream`): only its own folder knows the way.
 * Whoever is outside imports the files that lie in the folder itself.
 */
export function checkInnerFolders(sources: readonly Source[]): Breach[] {
  return sources.flatMap(source =>
    importsOf(source).flatMap(({ specifier, line }) => {
      const target = resolveImport(source, specifier) ?? '';
      const isInner = target.split('/').length > 3;
      if (!isInner || folderOf(target) === folderOf(source.path)) return [];
      const folder = `src/${folderOf(target)}`;
      const message = `${target} is an inner folder of ${folder}: import a file of ${folder} itself, or move what is needed there`;
      return [{ path: source.path, line, message }];
    }),
  );
}

/** Packages that the release has: what src imports is in `dependencies`, or a module of Node with `node:`. */
export function checkPackages(sources: readonly Source[], dependencies: readonly string[]): Breach[] {
  const breaches: Breach[] = [];
  for (const source of sources) {
    for (const { specifier, line } of importsOf(source)) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      if (dependencies.includes(name)) continue;
      const message = `"${name}" is not in "dependencies" of package.json: the release would not find it`;
      breaches.push({ path: source.path, line, message });
    }
  }
  return breaches;
}

export function checkCycles(sources: readonly Source[]): Breach[] {
  const breaches: Breach[] = [];
  const byPath = new Map(sources.map(source => [source.path, source]));
  const done = new Set<string>();
  const walk = (source: Source, trail: readonly string[]): void => {
    const path = [...trail, source.path];
    for (const { specifier, line } of importsOf(source)) {
      const target = byPath.get(resolveImport(source, specifier) ?? '');
      if (target === undefined || done.has(target.path)) continue;
      const start = path.indexOf(target.path);
      if (start === -1) walk(target, path);
      else {
        const cycle = [...path.slice(start), target.path].join(' → ');
        breaches.push({
          path: source.path,
          line,
          message: `a cycle: ${cycle}; put what both need into a file of its own`,
        });
      }
    }
    done.add(source.path);
  };
  for (const source of sources) if (!done.has(source.path)) walk(source, []);
  return breaches;
}

/** A barrel hides who needs what, and makes cycles out of nothing. */
export function checkBarrels(sources: readonly Source[]): Breach[] {
  const breaches: Breach[] = [];
  for (const source of sources) {
    const reExports = importsOf(source).filter(({ reExport }) => reExport);
    const rest = source.code.replaceAll(STATEMENT, '').replace(/[\s;]/g, '');
    const message = 'a barrel: import from the file that has it';
    if (reExports.length > 0 && rest === '') breaches.push({ path: source.path, line: 1, message });
    for (const match of source.code.matchAll(/(?<![.\w$])export\s+(type\s+)?\*/g)) {
      breaches.push({
        path: source.path,
        line: lineOf(source.text, match.index),
        message: `"export *": ${message}`,
      });
    }
  }
  return breaches;
}

/** What `src/main.ts` does not reach is dead, however many tests it has. */
export function checkReachable(
  sources: readonly Source[],
  entry: string,
  allowed: Readonly<Record<string, string>>,
): Breach[] {
  const byPath = new Map(sources.map(source => [source.path, source]));
  const reached = new Set<string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = byPath.get(path);
    if (source === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of importsOf(source)) waiting.push(resolveImport(source, specifier) ?? '');
  }
  const dead = sources.filter(({ path }) => !reached.has(path) && allowed[path] === undefined);
  const stale = Object.keys(allowed).filter(path => reached.has(path) || !byPath.has(path));
  return [
    ...dead.map(({ path }) => ({
      path,
      line: 1,
      message: `nothing on the way from ${entry} imports this file: use it or delete it`,
    })),
    ...stale.map(path => ({
      path,
      line: 1,
      message: 'needs no exception any more: take it from the list of files nobody imports',
    })),
  ];
}
