/**
 * Inserts `${VAR}` and `${VAR:-default}` in strings after YAML was parsed: a variable can contain any text and never changes
 * the structure. `$${` is a literal `${`. A default ends at the first `}`. Keys are not expanded.
 *
 * The result is a string: `connections: "${MAX}"` becomes a number because the setting is one, not because the text looks
 * like one (a version `1.10` in a header stays `1.10`).
 */
import type { Path } from './path.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

interface Expansion {
  readonly value: unknown;
  readonly problems: readonly { readonly path: Path; readonly message: string }[];
  /** Values from environment variables. */
  readonly values: ReadonlySet<string>;
}

/** Limits for the expansion of aliases and variables. Without them a few lines could become gigabytes. */
export const VALUES_MAX = 1_000_000;
export const TEXT_LENGTH_MAX = 16 * 1_024 * 1_024;

/** A new tree without shared parts, or the reason why the value cannot be expanded. */
export function expandVariables(value: unknown, env: Environment, depthMax: number): Expansion | string {
  const problems: { path: Path; message: string }[] = [];
  const path: (string | number)[] = [];
  const fromEnvironment = new Set<string>();
  let values = 0;
  let length = 0;

  const visit = (inner: unknown): unknown => {
    if (++values > VALUES_MAX || length > TEXT_LENGTH_MAX || path.length > depthMax) throw new TooLarge();
    if (typeof inner === 'string') {
      const text = inner.includes('${') ? expandText(inner, env, report, fromEnvironment) : inner;
      length += text.length;
      return text;
    }
    if (Array.isArray(inner)) return inner.map((item, at) => visitAt(at, item));
    if (typeof inner !== 'object' || inner === null) return inner;
    const entries = Object.entries(inner).filter(([key]) => key !== '__proto__'); // refused by `document.ts`
    return Object.fromEntries(entries.map(([key, item]) => [key, visitAt(key, item)]));
  };
  const visitAt = (key: string | number, inner: unknown): unknown => {
    path.push(key);
    const result = visit(inner);
    path.pop();
    return result;
  };
  const report = (message: string): void => void problems.push({ path: [...path], message });

  try {
    return { value: visit(value), problems, values: fromEnvironment };
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    if (path.length > depthMax) return `aliases nest values more than ${depthMax} levels deep`;
    return `aliases and variables expand the file to more than ${VALUES_MAX} values or ${TEXT_LENGTH_MAX} characters`;
  }
}

/** Ends the recursion above; never leaves this file. */
class TooLarge extends Error {}

const REFERENCE = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g;

/** Variables of nginx, whose names no environment variable has by custom. */
const REQUEST_PARTS = /^(?:host|http_host|server_name|request_uri|uri|path|args|query|query_string)$/;

function expandText(
  text: string,
  env: Environment,
  report: (message: string) => void,
  brought: Set<string>,
): string {
  return text.replace(
    REFERENCE,
    (whole, name: string | undefined, otherwise: string | undefined, at: number) => {
      if (whole === '$${') return '${';
      if (name === undefined) {
        const group = /^\d/.exec(text.slice(at + whole.length))?.[0];
        const literal =
          group === undefined ? `write $\${ for a literal \${` : `a group of a regex is written $${group}`;
        report(`a variable is written \${NAME} or \${NAME:-default}; ${literal}`);
        return whole;
      }
      const set = Object.hasOwn(env, name) ? env[name] : undefined;
      // As in a shell, an empty variable counts as unset if there is a default.
      const found = set === '' ? (otherwise ?? '') : (set ?? otherwise);
      if (found === undefined) {
        const advice = REQUEST_PARTS.test(name)
          ? 'parts of the request are written {host}, {path} and {query}, in a redirect'
          : `set it, or write \${${name}:-default}`;
        report(`environment variable ${name} is not set; ${advice}`);
      }
      if (set !== undefined && set !== '') brought.add(set);
      return found ?? '';
    },
  );
}
