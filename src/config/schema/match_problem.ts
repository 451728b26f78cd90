/** Why a text is not what a route can match: a host, a path, a template, a regular expression; with the line to write. */
import { domainToASCII } from 'node:url';
import { templateProblem } from '../../routing/pattern.ts';
import { compileRegex } from '../../routing/regex.ts';

const HOST = /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/;

/** Null if it is a host name, an address, or `*.name`. */
export function hostProblem(value: string): string | null {
  if (/^\[[0-9a-fA-F:.]+\]$/.test(value)) return null;
  if (HOST.test(value) && !value.includes('..')) return null;
  if (value === '*' || value === '_')
    return `"${value}" is not a host name; to match every host, remove hosts`;
  const [, scheme = '', host = '', rest = ''] =
    /^([a-z][a-z0-9+.-]*:\/\/)?([^/]*)(\/.*)?$/i.exec(value) ?? [];
  if (scheme !== '' && HOST.test(host)) return `"${value}" is a URL; write its host, ${host}`;
  if (rest !== '' && HOST.test(host))
    return `"${value}" has a path; write ${host}, and path: { prefix: ${rest} } beside hosts`;
  const port = /^(\[[0-9a-fA-F:.]+\]|[^:]+)?:\d+$/.exec(host);
  if (port !== null)
    return `hosts are matched without a port; ${port[1] === undefined ? 'remove it' : `write ${quoted(port[1])}`}`;
  return `"${value}" is not a host name; ${hostAdvice(value)}`;
}

function hostAdvice(value: string): string {
  if (/^[^\s,]+(?:[\s,]+[^\s,]+)+$/.test(value)) return 'write each name as its own item of the list';
  if (HOST.test(value.slice(1)) && value.startsWith('.')) return `write ${value.slice(1)} and "*${value}"`;
  if (HOST.test(value.slice(0, -1)) && value.endsWith('.')) return `write ${value.slice(0, -1)}`;
  if (/^[~^(]|[$\\|]/.test(value))
    return 'hosts are not regular expressions; write each name, or "*.name" for every name below it';
  const [, parent] = /^\{[^}]*\}(\..+)$/.exec(value) ?? [];
  if (parent !== undefined) return `write "*${parent}"`;
  const ascii = /[^\x00-\x7f]/.test(value) ? domainToASCII(value) : '';
  if (ascii !== '') return `write it in ASCII: ${quoted(ascii)}`;
  return 'a wildcard is written "*.name"';
}

function quoted(host: string): string {
  return /^[[*]/.test(host) ? `"${host}"` : host;
}

/** Null if it is a path that a request can have. */
export function pathProblem(value: string): string | null {
  if (!value.startsWith('/')) return `a path must begin with /${pathAdvice(value)}`;
  if (/[?#\s\u0000-\u001f\u007f]/.test(value))
    return 'a path cannot contain ?, #, spaces or control characters';
  return /\/\.{1,2}(?:\/|$)/.test(value) ? 'a path with the segment . or .. can never match' : null;
}

function pathAdvice(value: string): string {
  if (/^[~^\\(]/.test(value)) return '; a regular expression is written path: { regex: REGEX }';
  if (/^https?:\/\//i.test(value)) return ', without scheme and host';
  return /^[\w{]/.test(value) ? `; write /${value}` : '';
}

/** Null if it is a template. */
export function templatePathProblem(value: string): string | null {
  const problem = templateProblem(value);
  if (problem === null) return null;
  const segments = value.split('/');
  const fixed = segments.map((segment, at) => {
    if (/^(?:\*|\{\*{1,2}\w*\}|\{\w+(?:\*|\.{3})\})$/.test(segment))
      return at === segments.length - 1 ? '**' : `{${segment.replace(/\W/g, '') || 'name'}}`;
    return segment.replace(/^\{(\w+):.*\}$/, '{$1}');
  });
  const write = fixed.join('/');
  return write !== value && templateProblem(write) === null ? `${problem}; write ${write}` : problem;
}

/** Classes that only POSIX has. */
const POSIX: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

/** Null if it is a regular expression. */
export function regexProblem(value: string): string | null {
  const posix = /\[:(\^?)([a-z]+):\]/.exec(value);
  if (posix !== null) {
    const set = POSIX[posix[2] ?? ''];
    const write = set === undefined ? '' : `; write [${posix[1]}${set}]`;
    return `invalid regex: classes of POSIX such as ${posix[0]} are not supported${write}`;
  }
  const compiled = compileRegex(value);
  return typeof compiled === 'string' ? `invalid regex: ${compiled}` : null;
}
