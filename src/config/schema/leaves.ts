/**
 * Leaves of the schema: numbers with units and bounds, choices, and strings that a function can refuse. Messages say
 * what to write instead.
 */
import { getCiphers } from 'node:tls';
import * as z from 'zod';
import { cidrProblem } from '../../security/client_address.ts';
import {
  BYTE_RATE_PATTERN,
  DURATION_PATTERN,
  formatByteRate,
  formatDuration,
  formatSize,
  parseByteRate,
  parseDuration,
  parseSize,
  SIZE_PATTERN,
} from '../units.ts';
import {
  barePortProblem,
  endpointAddressProblem,
  listenAddressProblem,
  withHost,
} from './address_problem.ts';
import {
  CHOICES,
  type ChoiceId,
  type ChoiceValue,
  NUMBERS,
  type NumberId,
  type NumberSetting,
} from './defaults.ts';
import { hostProblem, pathProblem, regexProblem } from './match_problem.ts';
import {
  ENDPOINT_ADDRESS_PATTERN,
  FIELD_NAME_PATTERN,
  HOST_PATTERN,
  LISTEN_ADDRESS_PATTERN,
  NAME_PATTERN,
  NETWORK_PATTERN,
  PATH_PATTERN,
} from './patterns.ts';

/** A number with a unit and bounds: undefined if absent, null for `off`. */
export function number(id: NumberId) {
  return requiredNumber(id).optional();
}

export function requiredNumber(id: NumberId) {
  const facts: NumberSetting = NUMBERS[id];
  return z
    .unknown()
    .meta(describeNumber(facts))
    .transform((value, context): number | null => {
      const result = readNumber(value, facts);
      if (typeof result !== 'string') return result;
      context.issues.push({ code: 'custom', message: result, input: value });
      return z.NEVER;
    });
}

/** One of the words of a choice, or true and false; these also as strings, because a variable is one. */
export function choice<Id extends ChoiceId>(id: Id) {
  const { options, value: fallback, why } = CHOICES[id];
  const names: readonly string[] = options.map(String);
  const isFlag = options.some(option => typeof option === 'boolean');
  const shape = isFlag ? { type: 'boolean' as const } : { enum: [...options] };
  return z
    .unknown()
    .meta({ description: why, default: fallback, ...shape })
    .transform((value, context): ChoiceValue<Id> => {
      const at = names.indexOf(String(value));
      if (at >= 0 && typeof value !== 'object') return options[at] as ChoiceValue<Id>;
      const message = isFlag ? 'expected true or false' : `expected ${listed(names)}`;
      context.issues.push({ code: 'custom', message, input: value, params: { options: names } });
      return z.NEVER;
    })
    .optional();
}

function readNumber(value: unknown, facts: NumberSetting): number | null | string {
  if (value === 'off') return facts.off ? null : `cannot be switched off; ${bound(facts)}`;
  if (value === null) return `the value is missing; ${expected(facts)}`;
  const amount =
    typeof value === 'number' || typeof value === 'string' ? readAmount(value, facts) : expected(facts);
  if (typeof amount === 'string') return amount;
  if (amount === 0 && facts.min > 0) {
    return facts.off ? '0 is not allowed; to switch it off, write off' : `0 is not allowed; ${bound(facts)}`;
  }
  if (amount < facts.min) return `${show(amount, facts)} is too small; ${bound(facts)}`;
  return amount > facts.max ? `${show(amount, facts)} is too large; ${bound(facts)}` : amount;
}

function readAmount(value: number | string, facts: NumberSetting): number | string {
  const { unit } = facts;
  if (unit === 'ms' || unit === 'bytes' || unit === 'bytesPerSecond') {
    if (value === 0 || value === '0') return 0;
    if (typeof value === 'number') return withoutUnit(value, unit);
    return READERS[unit](value);
  }
  const amount = typeof value === 'string' && /^\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : value;
  if (typeof amount === 'string' || !Number.isFinite(amount)) return expected(facts);
  return unit === 'count' && !Number.isInteger(amount) ? `${amount} is not a whole number` : amount;
}

type WithUnit = 'ms' | 'bytes' | 'bytesPerSecond';
const READERS = { ms: parseDuration, bytes: parseSize, bytesPerSecond: parseByteRate };

function withoutUnit(value: number, unit: WithUnit): string {
  if (!(value > 0) || !Number.isFinite(value)) return `expected ${WHAT[unit]}`;
  switch (unit) {
    case 'ms':
      return `a duration needs a unit; write ${value}s or ${value}ms`;
    case 'bytes':
      return `a size needs a unit; write ${value}B, ${value}KiB or ${value}MiB`;
    case 'bytesPerSecond':
      return `a speed needs a unit; write ${value}B/s or ${value}KiB/s`;
  }
}

const WHAT = {
  ms: 'a duration such as 30s',
  bytes: 'a size such as 16KiB',
  bytesPerSecond: 'a speed such as 240B/s',
  count: 'a whole number',
  ratio: 'a number',
};

function expected(facts: NumberSetting): string {
  return `expected ${WHAT[facts.unit]} from ${show(facts.min, facts)} to ${show(facts.max, facts)}${facts.off ? ', or off' : ''}`;
}

function bound(facts: NumberSetting): string {
  return `it must be from ${show(facts.min, facts)} to ${show(facts.max, facts)}${facts.off ? ', or off' : ''}`;
}

function show(value: number, { unit }: NumberSetting): string {
  switch (unit) {
    case 'ms':
      return formatDuration(value);
    case 'bytes':
      return formatSize(value);
    case 'bytesPerSecond':
      return formatByteRate(value);
    default:
      return String(value);
  }
}

const PATTERNS = { ms: DURATION_PATTERN, bytes: SIZE_PATTERN, bytesPerSecond: BYTE_RATE_PATTERN };

/** JSON Schema of a number: what editors check and show. */
function describeNumber(facts: NumberSetting) {
  const shown = facts.value === null ? 'off' : show(facts.value, facts);
  const range = `${show(facts.min, facts)} to ${show(facts.max, facts)}${facts.off ? ', or off' : ''}`;
  const description = `${facts.why} Default ${shown}; ${range}.`;
  const variable = '\\$\\{';
  if (facts.unit === 'ms' || facts.unit === 'bytes' || facts.unit === 'bytesPerSecond') {
    const pattern = PATTERNS[facts.unit];
    return {
      description,
      default: shown,
      type: 'string' as const,
      pattern: `${pattern}${facts.off ? '|^off$' : ''}|${variable}`,
    };
  }
  const type = facts.unit === 'count' ? ('integer' as const) : ('number' as const);
  const texts = { type: 'string' as const, pattern: facts.off ? `^off$|${variable}` : variable };
  const numbers = { type, minimum: facts.min, maximum: facts.max };
  return { description, default: facts.value ?? 'off', anyOf: [numbers, texts] };
}

export function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** A string that a function can refuse with a reason. */
export function text(
  problemOf: (value: string) => string | null,
  description?: string,
  /** For editors; see `patterns.ts`. */
  pattern?: string,
) {
  const checked = refusable(z.string(), problemOf);
  if (description === undefined && pattern === undefined) return checked;
  return checked.meta({
    ...(description === undefined ? {} : { description }),
    ...(pattern === undefined ? {} : { pattern }),
  });
}

function refusable(string: z.ZodString, problemOf: (value: string) => string | null) {
  return string.superRefine((value, context) => {
    const problem = problemOf(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
}

export const plainText = text(value => (value === '' ? 'must not be empty' : null));

const CIPHERS: ReadonlySet<string> = new Set(getCiphers().map(name => name.toUpperCase()));

/** A cipher suite of TLS 1.2 that this build of OpenSSL has; OpenSSL accepts its names in capitals only. */
export const cipher = text(value => {
  const name = value.toUpperCase();
  if (name.startsWith('TLS_'))
    return `"${value}" is not the OpenSSL name of a cipher suite of TLS 1.2 (those of TLS 1.3 are always on)`;
  if (CIPHERS.has(value)) return null;
  const instead = CIPHERS.has(name) ? name : 'its OpenSSL name, such as ECDHE-ECDSA-AES128-GCM-SHA256';
  return `"${value}" is not a cipher suite; write ${instead}`;
}, 'The OpenSSL name of a cipher suite of TLS 1.2.');

/** An address to listen on. */
export const address = addressText(listenAddressProblem, 'listener')
  .meta({
    description: 'host:port, :port for every address, [IPv6]:port, unix:PATH or fd:NAME.',
    pattern: LISTEN_ADDRESS_PATTERN,
  })
  .transform(withHost);

export const endpointAddress = addressText(endpointAddressProblem, 'endpoint').meta({
  description: 'host:port, [IPv6]:port or unix:PATH.',
  pattern: ENDPOINT_ADDRESS_PATTERN,
});

function addressText(problemOf: (value: string) => string | null, role: 'listener' | 'endpoint') {
  const error = ({ input }: { readonly input?: unknown }) =>
    typeof input === 'number' ? barePortProblem(input, role) : undefined;
  return refusable(z.string({ error }), problemOf);
}

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
/** Fields of one connection or of the framing, which the proxy manages (RFC 9110 section 7.6.1, RFC 9112 section 6). */
const NOT_EDITABLE: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'trailer',
]);

export const fieldName = text(
  value => (TOKEN.test(value) ? null : `"${value}" is not a field name (RFC 9110 section 5.1)`),
  undefined,
  FIELD_NAME_PATTERN,
);

function editableProblem(value: string): string | null {
  if (!TOKEN.test(value)) return `"${value}" is not a field name (RFC 9110 section 5.1)`;
  if (value.toLowerCase() === 'host') return 'Host cannot be set here; use rewrite.host';
  return NOT_EDITABLE.has(value.toLowerCase())
    ? `${value} is hop-by-hop or part of the message framing (RFC 9110 section 7.6.1) and cannot be edited`
    : null;
}

export const editableName = text(editableProblem, undefined, FIELD_NAME_PATTERN);

/** Fields that the proxy sets itself on the way to a backend, with what to write instead. */
const SETTLED: Readonly<Record<string, string>> = {
  expect: 'Expect is handled by the proxy and never reaches a backend; remove it',
  traceparent: 'traceparent is set by tracing; see tracing.propagate and tracing.start',
  tracestate: 'tracestate is set by tracing; see tracing.propagate',
  'x-request-deadline-ms': 'X-Request-Deadline-Ms is set by the proxy, to the time that the request has left',
};

/** The name of a field that may be set on a request to a backend. */
export const requestFieldName = text(
  value => SETTLED[value.toLowerCase()] ?? editableProblem(value),
  undefined,
  FIELD_NAME_PATTERN,
);

/** RFC 9110 section 5.5. Spaces at the ends would be lost. */
export const fieldValue = text(value => {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    return 'a field value cannot contain line breaks, control characters or characters beyond Latin-1';
  }
  return value.trim() === value ? null : 'a field value cannot begin or end with a space';
});

export const regex = text(
  regexProblem,
  'A regular expression, matched against the whole text in linear time.',
);

export const path = text(pathProblem, 'A path that begins with /.', PATH_PATTERN);

/** The form of a request line (RFC 9112 section 3.2.1), with an optional query. */
export const requestTarget = text(value => {
  if (!value.startsWith('/')) return 'a path must begin with /';
  if (value.includes('#')) return 'a fragment (#...) is never sent; remove it';
  if (/[^\x21-\x7e]/.test(value))
    return `characters of a request line must be percent-encoded; write ${encodeURI(value)}`;
  return null;
}, 'A path that begins with /, optionally with a query.');

/** RFC 9110 section 7.2. */
export const hostHeader = text(
  value =>
    /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/.test(value)
      ? null
      : `"${value}" is not a host; write a name or an address, optionally with a port`,
  'A host, optionally with a port.',
);

export const network = text(
  value => {
    const problem = cidrProblem(value);
    return problem === null ? null : `"${value}" is not a network: ${problem}`;
  },
  'A network such as 10.0.0.0/8, or an address.',
  NETWORK_PATTERN,
);

/** What a proxy says about its client (`security/forwarding`). */
export const forwardingField = text(
  value =>
    /^(?:Forwarded|X-Real-IP|X-Request-Id|X-Request-Deadline-Ms|X-Forwarded-[A-Za-z0-9-]{1,64})$/i.test(value)
      ? null
      : `"${value}" is no forwarding field; write Forwarded, X-Real-IP, X-Request-Id, X-Request-Deadline-Ms or X-Forwarded-*, such as X-Forwarded-For`,
  'Forwarded, X-Real-IP, X-Request-Id, X-Request-Deadline-Ms, or a field that begins with X-Forwarded-.',
);

export const hostPattern = text(hostProblem, 'A host name, or *.name for every name below it.', HOST_PATTERN);

/** Names become metric labels and parts of paths. Names that every JavaScript object has are refused. */
function nameProblem(name: string): string | null {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name))
    return `"${name}" is not a name; use letters, digits, - and _ (at most 64)`;
  return name in {} ? `the name "${name}" is reserved; choose another one` : null;
}

/** A list, or its only item alone, which becomes a list. */
export function listOrOne<List extends z.ZodArray, One extends z.ZodType<z.output<List>[number]>>(
  list: List,
  one: One,
) {
  return z.union([list, one.transform((item): z.output<List> => [item] as z.output<List>)]);
}

export const itemName = text(nameProblem, 'Letters, digits, - and _; at most 64.', NAME_PATTERN);

export function named<T extends z.ZodType>(schema: T) {
  return z.record(itemName, schema);
}

export const accessLists = z.strictObject({
  allow: listOrOne(z.array(network), network)
    .meta({ description: 'Networks that are allowed; everyone when empty.' })
    .optional(),
  deny: listOrOne(z.array(network), network)
    .meta({ description: 'Networks that are denied; takes precedence over allow.' })
    .optional(),
});
