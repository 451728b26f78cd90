/** What an unknown key was probably meant to be: spelt otherwise, of another proxy, in another place, or misspelt. */
import * as z from 'zod';
import { didYouMean, nearest } from '../nearest.ts';
import type { Document } from '../text/document.ts';
import type { Path } from '../text/path.ts';
import { flow } from './flow_text.ts';
import { foreignWord, plainWord } from './foreign_words.ts';
import { listed } from './leaves.ts';
import { configSchema } from './schema.ts';

interface Meaning {
  readonly hint: string | undefined;
  /** Keys beside it that it stands for, and that are therefore not missing. */
  readonly meant: readonly string[];
}

/** Of `key` in the mapping at `path`. */
export function meaningOf(key: string, path: Path, document: Document): Meaning {
  if (key === '<<')
    return {
      hint: 'YAML 1.2 has no merge keys; write the values out, or use an alias for the whole mapping',
      meant: [],
    };
  const known = knownKeys(path);
  const alike = known.find(one => plainWord(one) === plainWord(key));
  if (alike !== undefined) return { hint: `did you mean "${alike}"?`, meant: [alike] };
  const value = document.at([...path, key]);
  if (path[0] === 'routes' && path.length === 3 && path[2] === 'headers' && typeof value === 'string') {
    const field = flow({ [key]: value });
    return {
      hint: `write request: { set: ${field} } for the backend, or response: { set: ${field} } for the client`,
      meant: [],
    };
  }
  const foreign = foreignWord(key, path, value);
  if (foreign !== null) return foreign;
  const inside = placesInside(key, path);
  if (inside.length > 0)
    return {
      hint: `did you mean ${listed(inside.map(place => place.join('.')))}?`,
      meant: inside.flatMap(place => place.slice(0, 1)),
    };
  const above = placeAbove(key, path);
  if (above !== null)
    return {
      hint: `it belongs ${above.length === 0 ? 'at the top level' : `in ${document.show(above)}`}`,
      meant: [],
    };
  const near = nearest(key, known);
  return { hint: didYouMean(key, known), meant: near === undefined ? [] : [near] };
}

/** The keys that the schema knows at a path. */
function knownKeys(path: Path): string[] {
  return schemasAt(path).flatMap(schema => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []));
}

function schemasAt(path: Path): z.core.$ZodType[] {
  let schemas: z.core.$ZodType[] = [configSchema];
  for (const part of path) schemas = schemas.flatMap(alternatives).flatMap(schema => step(schema, part));
  return schemas.flatMap(alternatives);
}

/** Mappings inside mappings that a key is looked for in. */
const DEPTH_MAX = 3;
const PLACES_MAX = 3;

/** Word to the nearest places that have it, for each mapping of the schema: made once, because a file can have many unknown keys. */
const indexes = new WeakMap<z.core.$ZodType, ReadonlyMap<string, readonly Place[]>>();
type Place = readonly string[];

/** The nearest places inside that have the key: `match.hosts` for `hosts` in a route. None if there are too many. */
function placesInside(key: string, path: Path): readonly Place[] {
  if (path.length === 0) return [];
  const found = schemasAt(path).flatMap(schema => indexOf(schema).get(plainWord(key)) ?? []);
  return found.length <= PLACES_MAX ? found : [];
}

function indexOf(schema: z.core.$ZodType): ReadonlyMap<string, readonly Place[]> {
  const known = indexes.get(schema);
  if (known !== undefined) return known;
  const index = new Map<string, Place[]>();
  let places: { readonly place: Place; readonly schema: z.core.$ZodType }[] = [{ place: [], schema }];
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    places = places.flatMap(outer =>
      alternatives(outer.schema).flatMap(one => {
        const shape: Readonly<Record<string, z.core.$ZodType>> = one instanceof z.ZodObject ? one.shape : {};
        return Object.entries(shape).map(([key, inner]) => ({ place: [...outer.place, key], schema: inner }));
      }),
    );
    for (const { place } of places.filter(() => depth > 0)) {
      const word = plainWord(place.at(-1) ?? '');
      const nearer = index.get(word);
      if (nearer === undefined) index.set(word, [place]);
      else if (nearer[0]?.length === place.length) nearer.push(place);
    }
  }
  indexes.set(schema, index);
  return index;
}

/** The nearest mapping around that has the key, which is then probably indented too far. */
function placeAbove(key: string, path: Path): Path | null {
  for (let length = path.length - 1; length >= 0; length--) {
    const outer = path.slice(0, length);
    if (knownKeys(outer).includes(key)) return outer;
  }
  return null;
}

/** Unwraps optional types, unions, and what is transformed. */
function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return alternatives(schema.unwrap());
  if (schema instanceof z.ZodPipe) return alternatives(schema.in);
  return schema instanceof z.ZodUnion ? schema.options.flatMap(alternatives) : [schema];
}

function step(schema: z.core.$ZodType, part: string | number): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
    const inner = Object.hasOwn(shape, part) ? shape[part] : undefined;
    return inner === undefined ? [] : [inner];
  }
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  return schema instanceof z.ZodArray ? [schema.element] : [];
}
