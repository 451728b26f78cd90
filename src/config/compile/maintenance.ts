/** Compiles the maintenance of one route. Its page is kept once, however many routes have it. */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import type { MaintenanceSettings, Page, Pages } from '../../routing/maintenance.ts';
import type { MaintenanceConfig } from '../schema/maintenance.ts';
import type { RouteConfig } from '../schema/route.ts';
import type { Path } from '../text/path.ts';
import type { Materials } from './materials.ts';
import type { Origins, Scope } from './origins.ts';

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.htm', 'text/html; charset=utf-8'],
  ['.json', 'application/json'],
  ['.svg', 'image/svg+xml'],
  ['.xml', 'application/xml'],
]);
const PLAIN_TEXT = 'text/plain; charset=utf-8';
/** Hexadecimal digits of a hash: enough to tell the few pages of a plan apart. */
const ID_LENGTH = 16;

/** Null: it is off. A prepared block is read all the same, so that its problems are found before it is needed. */
export function compileMaintenance(
  { maintenance }: RouteConfig,
  scope: Scope,
  path: Path,
  materials: Materials,
  pages: PageShelf,
): MaintenanceSettings | null {
  const place = ['maintenance'] as const;
  if (maintenance === undefined) return scope.part('maintenance', place, null);
  const page = readPage(maintenance, path, materials);
  if (maintenance.enabled === false) return scope.part('maintenance', [...place, 'enabled'], null);
  scope.note('maintenance', place);
  const key = maintenance.bodyFile === undefined ? 'body' : 'bodyFile';
  return {
    status: scope.number('maintenance.status', 'routes.maintenance.status'),
    retryAfterMs: scope.number('maintenance.retryAfterMs', 'routes.maintenance.retryAfter'),
    page: scope.part(
      'maintenance.page',
      [...place, key],
      page === null ? null : pages.keep(page, [...path, key]),
    ),
    allow: scope.part('maintenance.allow', [...place, 'allow'], maintenance.allow ?? []),
  };
}

/** Null: none is written. */
export function readPage(
  { body, bodyFile, contentType }: MaintenanceConfig,
  path: Path,
  materials: Materials,
): Page | null {
  if (bodyFile !== undefined) {
    const type = CONTENT_TYPES.get(extname(bodyFile).toLowerCase()) ?? PLAIN_TEXT;
    return {
      contentType: contentType ?? type,
      body: materials.readPage(bodyFile, [...path, 'bodyFile']),
    };
  }
  return body === undefined ? null : { contentType: contentType ?? PLAIN_TEXT, body };
}

/** The pages of a plan while it is compiled. */
export class PageShelf {
  readonly #origins: Origins;
  readonly #pages = new Map<string, Page>();
  /** By the content. */
  readonly #ids = new Map<string, string>();

  constructor(origins: Origins) {
    this.#origins = origins;
  }

  /** The id of the page, by its content. */
  keep(page: Page, path: Path): string {
    const key = `${page.contentType}\n${page.body}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = createHash('sha256').update(key).digest('hex').slice(0, ID_LENGTH);
    this.#ids.set(key, id);
    this.#pages.set(id, page);
    this.#origins.note(`pages.${id}`, path);
    return id;
  }

  /** Sorted by id. */
  get all(): Pages {
    return Object.fromEntries([...this.#pages].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
