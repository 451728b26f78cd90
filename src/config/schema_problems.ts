/** What the schema found, in the words of a person who reads a file and not a program. */
import { z } from 'zod';
import type { Document, Path } from './document.ts';
import { nearest, type Problem } from './problems.ts';
import { configSchema } from './schema.ts';

export function schemaProblems(error: z.ZodError, document: Document): Problem[] {
  return error.issues.flatMap(issue => problemsOf(issue, document));
}

function problemsOf(issue: z.core.$ZodIssue, document: Document): Problem[] {
  const path = issue.path as Path;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => {
        const known = knownKeys(path);
        return document.problem('error', [...path, key], `unknown key "${key}" ${where(path)}`, {
          at: 'key',
          didYouMean: nearest(key, known),
        });
      });
    case 'invalid_type':
      if (!document.has(path)) {
        const key = String(path[path.length - 1]);
        return [
          document.problem('error', path, `the key "${key}" is missing ${where(path.slice(0, -1))}`, {
            at: 'key',
          }),
        ];
      }
      return [
        document.problem(
          'error',
          path,
          `${show(path)}: ${issue.message.startsWith('Invalid input') ? `expected ${article(issue.expected)}` : issue.message}`,
        ),
      ];
    case 'invalid_value': {
      const options = issue.values.map(String);
      const written = valueAt(document.value, path);
      const message = issue.message.startsWith('Invalid')
        ? `expected ${options.map(option => `"${option}"`).join(' or ')}`
        : issue.message;
      return [
        document.problem('error', path, `${show(path)}: ${message}`, {
          didYouMean: typeof written === 'string' ? nearest(written, options) : undefined,
        }),
      ];
    }
    case 'invalid_key':
      return issue.issues.map(inner =>
        document.problem('error', path, `${show(path)}: ${inner.message}`, { at: 'key' }),
      );
    case 'custom':
      return [
        document.problem(
          'error',
          path,
          issue.params?.['later'] === true ? issue.message : `${show(path)}: ${issue.message}`,
          { at: issue.params?.['later'] === true ? 'key' : 'value' },
        ),
      ];
    default:
      return [document.problem('error', path, `${show(path)}: ${issue.message}`)];
  }
}

/** `clusters.api.endpoints[0]` */
export function show(path: Path): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
}

function where(path: Path): string {
  return path.length === 0 ? 'at the top level' : `in ${show(path)}`;
}

function article(type: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a mapping (key: value)',
    record: 'a mapping (name: ...)',
    array: 'a list',
    string: 'a text',
    boolean: 'true or false',
    int: 'a whole number',
  };
  return names[type] ?? type;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}

/** The keys that the schema knows at a path, for "did you mean". */
function knownKeys(path: Path): string[] {
  let schemas: z.core.$ZodType[] = [configSchema];
  for (const part of path) schemas = schemas.flatMap(objectsOf).flatMap(schema => step(schema, part));
  return schemas
    .flatMap(objectsOf)
    .flatMap(schema => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []));
}

/** Looks through wrappers and alternatives. */
function objectsOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return objectsOf(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(objectsOf);
  if (schema instanceof z.ZodPipe) return objectsOf(schema.in);
  return [schema];
}

function step(schema: z.core.$ZodType, part: string | number): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) return part in schema.shape ? [schema.shape[part]] : [];
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  return schema instanceof z.ZodArray ? [schema.element] : [];
}
