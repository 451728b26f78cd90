/**
 * Writes docs/configuration.md from the schema: every key with its meaning, default and bounds. The facts are in
 * `src/config/schema/defaults.ts`; a test compares the file with the output of this script.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { schemaJson } from '../src/config/json_schema.ts';

/** The keywords of JSON Schema that the configuration uses. */
export interface Schema {
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

Fairlead reads one YAML 1.2 file. It is strict: an unknown or duplicate key is an error. This reference is generated from
the schema (\`fairlead schema\`) by \`node scripts/reference.ts\`, and a test keeps it current. \`*\` stands for a name that you
choose, \`[]\` for each item of a list.

Durations are written \`250ms 30s 5m 1h\`, sizes \`16KiB 10MiB\`, rates \`100/s 5000/m\`, addresses \`127.0.0.1:8080\`,
\`"[::1]:8443"\`, \`unix:/run/x.sock\` and \`fd:NAME\`; a listener on \`":8080"\` takes every address of the machine, IPv6 and IPv4.
\`off\` switches a limit off where its bounds say "or off". \`\${VAR}\` and \`\${VAR:-default}\` insert environment variables. File names
are relative to the configuration file. \`fairlead plan --origins\` prints every value in force and the line that set it.

YAML gives a meaning to brackets, braces and asterisks, so quote text that has them: \`"[::1]:8443"\`, \`"https://{host}{path}"\`,
\`"*.example.com"\`, and inside \`[ ]\` and \`{ }\` also \`"\${VAR}"\`.
`;

/** What a section is for, where a table of keys does not show it. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
  defaults: `What many routes, clusters or listeners have in common is written once. There is one level: a value that an item does not set comes from
\`defaults\`, and one that is not there either from this reference. \`fairlead plan --origins\` marks what comes from here:
\`edge.yaml:3:15 (defaults)\`. Moving a value here changes nothing: the plan keeps its digest.

\`\`\`yaml
defaults:
  routes:
    timeouts: { responseHead: 20s }
    headers: { response: { remove: [Server] } }
  clusters:
    health: { active: { path: /healthz } }
routes:
  - name: reports
    match: { path: { prefix: /reports } }
    forward: { cluster: app }
    timeouts: { responseHead: 2m }            # this route; every other one that forwards has 20 s
clusters:
  app: { endpoints: [10.0.0.1:8080] }         # probed at /healthz
  legacy: { endpoints: [10.0.0.9:80], health: { active: off } }
\`\`\`

- Mappings are merged setting by setting. A list of the item replaces the list here as a whole; an empty one (\`rateLimits: []\`) removes
  it. \`off\` replaces a block: \`basicAuth: off\`, \`tls: off\`, \`circuitBreaker: off\`, \`preset: off\`.
- \`headers.request\` and \`headers.response\` are merged by field. If a route names a field itself, in \`set\`, \`add\` or \`remove\`, the edits
  of that field here do not apply to it.
- A block here applies to every item without that block, unless it is incomplete: \`tls\` without \`certificates\`, \`proxyProtocol\` without
  \`from\`, \`basicAuth\` without \`file\` and \`health.active\` without a probe complete the blocks of those items that have one.
- A probe of another kind in a cluster (\`tcp\`, \`grpc\`, \`webSocket\`, or a path) keeps only the times and counts of the probe here.
- A setting that has no effect on an item is not inherited: \`timeouts\`, \`retries\` and \`headers.request\` by redirects and fixed responses, \`h2c\`
  by listeners with TLS, \`http2\` by those without, \`reusePort\` by those on no TCP port, \`tls\` by clusters that write \`protocol: h2c\`.
- Order for a listener: its own values, its own preset, then \`defaults.listeners\`. A preset within \`defaults.listeners\` applies to every
  listener without one, after all written values.
- Rate limits from here are counted for each route separately.

`,
  maintenance: `At the top level it applies to every route that forwards. A route has \`maintenance: on\`, \`off\`, or a block with the same keys; what the
block does not set comes from the top level, except \`enabled\`. So a page that is prepared there with \`enabled: false\` is used by a route
with \`maintenance: on\`. Maintenance begins and ends with a reload; requests and WebSocket tunnels in flight are not affected.

A request is refused after the access lists and before its rate limits and its login, with the reason \`maintenance\` (docs/reasons.md). gRPC
calls get UNAVAILABLE.

`,
};

export function renderReference(schema: unknown): string {
  const { properties = {}, required = [] } = schema as Schema;
  const sections = Object.entries(properties).map(([name, part]) => {
    const rows = rowsOf(name, part, required.includes(name));
    return `## ${name}\n\n${EXPLANATIONS[name] ?? ''}| key | meaning | default |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${INTRODUCTION}\n${sections.join('\n')}`;
}

/** Parts whose keys are those of another part, which their meaning names. */
const LIKE_OTHERS: ReadonlySet<string> = new Set([
  'defaults.routes',
  'defaults.clusters',
  'defaults.listeners',
]);

function rowsOf(key: string, schema: Schema, required: boolean): string[] {
  const inner = LIKE_OTHERS.has(key) ? [] : partsOf(key, schema);
  const isGroup = inner.length > 0 && schema.description === undefined && !required;
  const own = isGroup ? [] : [row(key, schema, required)];
  return [...own, ...inner.flatMap(([name, part, needed]) => rowsOf(name, part, needed))];
}

/** The keys inside: of an object, of each item of a list, of each named entry, of each form of a union. */
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
  const meaning = [description, choicesOf(schema)].filter(text => text !== '').join(' ');
  return `| \`${key}\` | ${meaning} | ${defaultOf(schema, required)} |`;
}

/** `see there`: the meaning says what applies when the key is absent or empty. */
function defaultOf({ default: value, description = '' }: Schema, required: boolean): string {
  if (value !== undefined) return `\`${String(value)}\``;
  if (required) return 'required';
  return /\bwhen (?:absent|empty)\b/i.test(description) ? 'see there' : 'none';
}

/** The words that may stand for the value: all that there are, or those beside a mapping, an address or a number. */
function choicesOf({ enum: words = [], const: only, anyOf = [] }: Schema): string {
  if (only !== undefined) return `Only \`${String(only)}\` is accepted.`;
  if (words.length > 0) return `One of ${quoted(words).join(', ')}.`;
  const beside = quoted(
    anyOf.flatMap(form => {
      if (form.type === 'boolean' && form.const === undefined) return [true, false];
      return form.const ?? form.enum ?? [];
    }),
  );
  if (beside.length === 0) return '';
  const mapping = anyOf.some(({ properties }) => properties !== undefined);
  if (!mapping) return `Or ${beside.join(', ')}.`;
  return `${beside.join(', ')}, or a mapping with the keys below.`;
}

function quoted(words: readonly unknown[]): string[] {
  return words.map(word => `\`${String(word)}\``);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  writeFileSync(resolve(root, 'docs/configuration.md'), renderReference(schemaJson()));
}
