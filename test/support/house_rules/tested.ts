/** Every file with something to get wrong has a test of the same name. */
import { stripTypeScriptTypes } from 'node:module';
import { type Breach, parseSource, type Source } from './source.ts';

/** True when nothing is left at run time: types, imports and comments only. */
export function isTypesOnly(source: Source): boolean {
  const left = parseSource(source.path, stripTypeScriptTypes(source.text)).code;
  return (
    left
      .replace(/(?<![.\w$])(?:import|export)\s*(?:[\w$*{}\s,]*\bfrom\s*)?(['"])\s*\1/g, '')
      .replace(/[\s;]/g, '') === ''
  );
}

/** `src/net/tls.ts` → `test/net/tls.test.ts`. */
export function testPathOf(path: string): string {
  return path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
}

export function checkTested(
  sources: readonly Source[],
  tests: ReadonlySet<string>,
  exempt: Readonly<Record<string, string>>,
): Breach[] {
  const breaches: Breach[] = [];
  const lacking = sources.filter(source => !tests.has(testPathOf(source.path)) && !isTypesOnly(source));
  for (const { path } of lacking) {
    if (exempt[path] === undefined)
      breaches.push({ path, line: 1, message: `has no test: write ${testPathOf(path)}` });
  }
  for (const path of Object.keys(exempt)) {
    if (lacking.some(source => source.path === path)) continue;
    breaches.push({
      path,
      line: 1,
      message: 'needs no exception any more: take it from the list of files without a test',
    });
  }
  return breaches;
}
