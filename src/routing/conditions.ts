/**
 * The conditions of a route other than host and path.
 *
 *   methods  one of the list, as written: `GET` does not include `HEAD`
 *   headers  by name in any case; a repeated field has the combined value `a, b` (RFC 9110 section 5.2); `host` is the
 *            authority of the request in lower case, also for HTTP/2
 *   query    by decoded name; the first parameter of that name counts; `+` is a space, as in a form
 *
 * So every name has one value or none, and two routes that require different values can never both match.
 */
import { isSecretName } from '../security/secrets.ts';
import type { PathPattern } from './pattern.ts';
import { type LinearRegex, requireRegex } from './regex.ts';
import type { NamedMatch, RoutableRequest, RouteMatch } from './route.ts';

const HOST = 'host';

interface Condition {
  readonly name: string;
  readonly kind: NamedMatch['test']['kind'];
  /** The value that an exact condition requires. */
  readonly value: string;
  readonly regex: LinearRegex | null;
}

/** A route, prepared for matching. */
export interface Candidate<T> {
  readonly match: RouteMatch;
  readonly path: PathPattern;
  readonly conditions: Conditions;
  readonly value: T;
}

export interface Conditions {
  /** Null: any method. */
  readonly methods: readonly string[] | null;
  readonly headers: readonly Condition[];
  readonly query: readonly Condition[];
}

export function buildConditions(match: RouteMatch): Conditions {
  return {
    methods: match.methods.length === 0 ? null : match.methods,
    headers: match.headers.map(buildCondition),
    query: match.query.map(buildCondition),
  };
}

function buildCondition({ name, test }: NamedMatch): Condition {
  return {
    name,
    kind: test.kind,
    value: test.kind === 'exact' ? (name === HOST ? test.value.toLowerCase() : test.value) : '',
    regex: test.kind === 'regex' ? requireRegex(test.value) : null,
  };
}

/** Index of the first condition that does not hold, in the order methods, headers, query; -1 if all hold. */
export function firstBroken({ methods, headers, query }: Conditions, request: RoutableRequest): number {
  if (methods !== null && !methods.includes(request.method)) return 0;
  for (let at = 0; at < headers.length; at++) {
    const condition = headers[at] as Condition;
    if (!holds(condition, headerValue(request, condition.name))) return 1 + at;
  }
  for (let at = 0; at < query.length; at++) {
    const condition = query[at] as Condition;
    if (!holds(condition, queryValue(request.query, condition.name))) return 1 + headers.length + at;
  }
  return -1;
}

/** Describes a condition and how the request fails it. Values are not shown, because they may be secret. */
export function describeBroken(
  { methods, headers, query }: Conditions,
  place: number,
  request: RoutableRequest,
): string {
  if (place === 0) return `method is ${request.method}, the route requires ${methods?.join(' or ')}`;
  const header = headers[place - 1];
  if (header !== undefined) return `header ${describe(header, headerValue(request, header.name))}`;
  const parameter = query[place - 1 - headers.length];
  if (parameter === undefined) throw new RangeError(`no condition at place ${place}`);
  return `query parameter ${describe(parameter, queryValue(request.query, parameter.name))}`;
}

function describe({ name, kind, value, regex }: Condition, found: string | null): string {
  if (kind === 'absent') return `${name} is present, the route requires it absent`;
  if (kind === 'present') return `${name} is missing`;
  if (isSecretName(name)) return `${name} is ${found === null ? 'missing' : 'not what the route requires'}`;
  const wanted = kind === 'exact' ? `"${value}"` : `a match of ${regex?.pattern}`;
  return found === null ? `${name} is missing, the route requires ${wanted}` : `${name} is not ${wanted}`;
}

function holds({ kind, value, regex }: Condition, found: string | null): boolean {
  if (found === null) return kind === 'absent';
  switch (kind) {
    case 'exact':
      return found === value;
    case 'regex':
      return regex?.matches(found) === true;
    case 'present':
      return true;
    case 'absent':
      return false;
  }
}

/** `name` is in lower case. Null: the field is absent. */
function headerValue({ headers, authority }: RoutableRequest, name: string): string | null {
  if (name === HOST) return authority === '' ? null : authority.toLowerCase();
  let value: string | null = null;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (!isSameName(headers[at] as string, name)) continue;
    // RFC 9113 section 8.2.3: HTTP/2 may split a cookie; the parts are joined by `; `.
    const separator = name === 'cookie' ? '; ' : ', ';
    value = value === null ? (headers[at + 1] as string) : value + separator + headers[at + 1];
  }
  return value;
}

/** Compares without a lower-case copy of every name. */
function isSameName(name: string, lower: string): boolean {
  if (name.length !== lower.length) return false;
  for (let at = 0; at < lower.length; at++) {
    const code = name.charCodeAt(at);
    const folded = code >= 65 && code <= 90 ? code + 32 : code;
    if (folded !== lower.charCodeAt(at)) return false;
  }
  return true;
}

/** `query` is empty or begins with `?`. Null: the parameter is absent. */
function queryValue(query: string, name: string): string | null {
  for (let from = 1; from < query.length; ) {
    const ampersand = query.indexOf('&', from);
    const end = ampersand < 0 ? query.length : ampersand;
    const equals = query.indexOf('=', from);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (isSameText(query, from, nameEnd, name)) {
      return nameEnd === end ? '' : decoded(query.slice(nameEnd + 1, end));
    }
    from = end + 1;
  }
  return null;
}

/** Decodes only what cannot be compared as it is. */
function isSameText(text: string, from: number, to: number, wanted: string): boolean {
  if (to - from === wanted.length && text.startsWith(wanted, from) && !/[%+]/.test(wanted)) return true;
  if (to - from < wanted.length) return false; // decoding never makes a text longer
  const piece = text.slice(from, to);
  return /[%+]/.test(piece) && decoded(piece) === wanted;
}

/** Decodes like a form (WHATWG URL section 5.1), also where the escapes are not UTF-8. */
function decoded(piece: string): string {
  return /[%+]/.test(piece) ? (new URLSearchParams(`v=${piece}`).get('v') ?? '') : piece;
}
