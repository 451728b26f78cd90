/**
 * Writes docs/configuration.md from the schema: every key, what it means, its default and its bounds. The facts stand
 * in `src/config/schema/defaults.ts`; a test compares the file with what this script would write.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { schemaJson } from '../src/config/json_schema.ts';

interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
}

const INTRODUCTION = `# Configuration

One YAML 1.2 file, strict: an unknown or duplicate key is an error. Written from the schema (\`fairlead schema\`) by
\`node scripts/reference.ts\`; a test keeps it current. \`*\` is a name that you choose, \`[]\` one of a list.

Durations are written \`250ms 30s 5m 1h\`, sizes \`16KiB 10MiB\`, rates \`100/s 5000/m\`, addresses \`0.0.0.0:8080 [::]:8443
unix:/run/x.sock fd:NAME\`. \`off\` switches a limit off where the bounds say so. \`\${VAR}\` and \`\${VAR:-default}\` stand for
values of the environment. Paths are relative to the file. \`fairlead plan --origins\` shows every value in force.
`;

export function renderReference(schema: unknown): string {
  const { properties = {}, required = [] } = schema as Schema;
  const sections = Object.entries(properties).map(([name, part]) => {
    const rows = rowsOf(name, part, required.includes(name));
    return `## ${name}\n\n| key | meaning | default |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${INTRODUCTION}\n${sections.join('\n')}`;
}

function rowsOf(key: string, schema: Schema, required: boolean): string[] {
  const inner = partsOf(key, schema);
  const isGroup = inner.length > 0 && schema.description === undefined && !required;
  const own = isGroup ? [] : [row(key, schema, required)];
  return [...own, ...inner.flatMap(([name, part, needed]) => rowsOf(name, part, needed))];
}

/** The keys inside: of an object, of each item of a list, of each thing with a name, of one of several forms. */
function partsOf(key: string, schema: Schema): [key: string, schema: Schema, required: boolean][] {
  const { properties = {}, required = [], additionalProperties, items, anyOf = [] } = schema;
  const own = Object.entries(properties).map(([name, part]): [string, Schema, boolean] => [
    `${key}.${name}`,
    part,
    required.includes(name),
  ]);
  const named = typeof additionalProperties === 'object' ? partsOf(`${key}.*`, additionalProperties) : [];
  const listed = items === undefined ? [] : partsOf(`${key}[]`, items);
  return [...own, ...named, ...listed, ...anyOf.flatMap(form => partsOf(key, form))];
}

function row(key: string, schema: Schema, required: boolean): string {
  const description = (schema.description ?? '').replace(/ Default .*?; /, ' ').replace(/\|/g, '\\|');
  const choices = choicesOf(schema);
  const meaning = [description, choices === '' ? '' : `One of ${choices}.`]
    .filter(text => text !== '')
    .join(' ');
  const value = schema.default === undefined ? (required ? 'required' : '') : `\`${String(schema.default)}\``;
  return `| \`${key}\` | ${meaning} | ${value} |`;
}

function choicesOf({ enum: choices, const: only, anyOf = [] }: Schema): string {
  const all = [
    ...(choices ?? []),
    ...(only === undefined ? [] : [only]),
    ...anyOf.flatMap(form => form.const ?? []),
  ];
  return all.map(choice => `\`${String(choice)}\``).join(', ');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  writeFileSync(resolve(root, 'docs/configuration.md'), renderReference(schemaJson()));
}
