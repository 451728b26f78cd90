/** Maintenance: one body, and a type only for a body. */
import type { MaintenanceConfig } from '../schema/maintenance.ts';
import type { Path } from '../text/path.ts';
import type { Relations } from './relations.ts';

export function checkMaintenance(relations: Relations): void {
  const { maintenance, routes } = relations.config;
  checkBlock(maintenance, ['maintenance'], relations);
  for (const [at, route] of routes.entries())
    checkBlock(route.maintenance, ['routes', at, 'maintenance'], relations);
}

function checkBlock(
  { body, bodyFile, contentType }: MaintenanceConfig = {},
  path: Path,
  { report }: Relations,
): void {
  if (body !== undefined && bodyFile !== undefined)
    report([...path, 'bodyFile'], 'maintenance has body and bodyFile; only one is allowed', { at: 'key' });
  if (contentType !== undefined && body === undefined && bodyFile === undefined)
    report([...path, 'contentType'], 'contentType is the type of a body: add body or bodyFile', {
      at: 'key',
    });
}
