/**
 * Checks relations between settings, which the schema of one setting cannot see. All are checked, so that one run
 * shows everything: references, duplicate names and addresses, timeouts inside each other, actions that exclude each
 * other. Ties between routes need the compiled matches and are in `ties.ts`.
 */

import type { Problem } from '../problems.ts';
import type { PartialParse } from '../schema/partial_parse.ts';
import type { Config } from '../schema/schema.ts';
import type { Document } from '../text/document.ts';
import { checkAdmin } from './admin.ts';
import { checkClusters } from './clusters.ts';
import { checkListeners } from './listeners.ts';
import { checkMaintenance } from './maintenance.ts';
import { collectRelations } from './relations.ts';
import { checkRoutes } from './routes.ts';
import { checkStores } from './stores.ts';
import { checkTimes } from './times.ts';
import { checkTls } from './tls.ts';

export function relationProblems(config: Config, document: Document, partial: PartialParse): Problem[] {
  return collectRelations(config, document, partial, [
    checkAdmin,
    checkListeners,
    checkTls,
    checkRoutes,
    checkClusters,
    checkMaintenance,
    checkStores,
    checkTimes,
  ]);
}
