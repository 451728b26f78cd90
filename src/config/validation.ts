/**
 * Relations between fields, which no schema of one field can see. All of them are checked, so that one run shows
 * everything: references, names and addresses that are taken, timeouts inside each other, actions that exclude each
 * other. Ties between routes need their compiled matches and are in `ties.ts`.
 */
import type { Document } from './document.ts';
import type { Problem } from './problems.ts';
import { collectRelations } from './relations.ts';
import type { Salvage } from './salvage.ts';
import type { Config } from './schema.ts';
import { checkAdmin } from './validate_admin.ts';
import { checkClusters } from './validate_clusters.ts';
import { checkListeners } from './validate_listeners.ts';
import { checkRoutes } from './validate_routes.ts';
import { checkTimes } from './validate_times.ts';

export function relationProblems(config: Config, document: Document, salvage: Salvage): Problem[] {
  return collectRelations(config, document, salvage, [
    checkAdmin,
    checkListeners,
    checkRoutes,
    checkClusters,
    checkTimes,
  ]);
}
