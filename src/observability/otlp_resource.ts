/**
 * The resource of exported spans: which service they are from, and where it runs. In order of precedence:
 *
 *   tracing.otlp.resource       in the configuration
 *   OTEL_SERVICE_NAME           service.name
 *   OTEL_RESOURCE_ATTRIBUTES    key1=value1,key2=value2, percent-encoded
 *   the default                 service.name is fairlead
 *
 * What the user of an SDK sets takes precedence over the environment, and OTEL_SERVICE_NAME over the other variable
 * (OpenTelemetry specification, "Resource SDK" and "General SDK Configuration").
 */

/** Percent-decoded attributes; the values are strings, as the specification requires. */
export type ResourceAttributes = Readonly<Record<string, string>>;

type Variable = 'OTEL_SERVICE_NAME' | 'OTEL_RESOURCE_ATTRIBUTES';

interface Resource {
  /** Sorted by name. */
  readonly attributes: ResourceAttributes;
  /** The variables that attributes come from; the others are from the configuration, or defaults. */
  readonly fromEnvironment: ReadonlyMap<string, Variable>;
  /** Why `OTEL_RESOURCE_ATTRIBUTES` is ignored; null if it is not. */
  readonly ignored: string | null;
}

const SERVICE_NAME = 'service.name';
const DEFAULT_SERVICE_NAME = 'fairlead';
/** The default limit of the specification ("Attribute Limits"). */
export const RESOURCE_ATTRIBUTES_MAX = 128;
const NAME_LENGTH_MAX = 255;
const VALUE_LENGTH_MAX = 4_096;
const SHOWN_LENGTH_MAX = 60;

export function resourceOf(
  written: ResourceAttributes,
  env: Readonly<Partial<Record<string, string>>>,
): Resource {
  const attributes = new Map([[SERVICE_NAME, DEFAULT_SERVICE_NAME]]);
  const fromEnvironment = new Map<string, Variable>();
  const read = parseResourceAttributes(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '');
  const ignored = typeof read === 'string' ? read : null;
  const service = (env['OTEL_SERVICE_NAME'] ?? '').trim();
  const set = (from: Variable | null, [name, value]: readonly [string, string]): void => {
    attributes.set(name, value);
    if (from === null) fromEnvironment.delete(name);
    else fromEnvironment.set(name, from);
  };
  if (typeof read !== 'string') for (const pair of read) set('OTEL_RESOURCE_ATTRIBUTES', pair);
  if (service !== '') set('OTEL_SERVICE_NAME', [SERVICE_NAME, service]);
  for (const pair of Object.entries(written)) set(null, pair);
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  return { attributes: Object.fromEntries(sorted), fromEnvironment, ignored };
}

/**
 * The value of `OTEL_RESOURCE_ATTRIBUTES`: pairs as in W3C Baggage, without properties. A string says what is wrong; then
 * the whole value is ignored, as the specification requires.
 */
function parseResourceAttributes(text: string): ReadonlyMap<string, string> | string {
  const attributes = new Map<string, string>();
  for (const member of text.split(',').map(part => part.trim())) {
    if (member === '') continue;
    const equals = member.indexOf('=');
    if (equals < 0) return `"${shortened(member)}" has no "="`;
    const name = decoded(member.slice(0, equals));
    const value = decoded(member.slice(equals + 1));
    if (name === null || value === null) return `"${shortened(member)}" is not percent-encoded UTF-8`;
    const problem = attributeNameProblem(name) ?? attributeValueProblem(value);
    if (problem !== null) return problem;
    attributes.set(name, value);
  }
  if (attributes.size > RESOURCE_ATTRIBUTES_MAX)
    return `it has ${attributes.size} attributes, and the limit is ${RESOURCE_ATTRIBUTES_MAX}`;
  return attributes;
}

export function attributeNameProblem(name: string): string | null {
  if (name === '') return 'the name of an attribute is missing';
  return /^[\x21-\x7e]+$/.test(name) && name.length <= NAME_LENGTH_MAX
    ? null
    : `"${shortened(name)}" is not the name of an attribute; use printable ASCII without spaces, such as deployment.environment.name (at most ${NAME_LENGTH_MAX} characters)`;
}

export function attributeValueProblem(value: string): string | null {
  return value.length <= VALUE_LENGTH_MAX
    ? null
    : `the value of an attribute may have at most ${VALUE_LENGTH_MAX} characters`;
}

function shortened(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}...`;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return null;
  }
}
