import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLimits } from '../../src/admin/explain.ts';
import { loadedFrom } from '../config/config_text.ts';

test('every limit that explain shows cites the line of the plan that holds its value', () => {
  const { plan, origins: noted } = loadedFrom({
    clusters: '{ app: { endpoints: [127.0.0.1:9000], circuitBreaker: { failureRatio: 0.5 } } }',
    routes: '[{ name: all, rateLimits: [{ key: clientIp, rate: 7/s }], forward: { cluster: app } }]',
  });
  const listener = plan.listeners['main'];
  const route = plan.routes[0];
  assert(listener !== undefined && route !== undefined);
  const asked: string[] = [];
  const origins = noted.ofLeaves(plan);
  const paths = {
    get(path: string): string {
      asked.push(path);
      return noted.get(path);
    },
  };
  const rows = describeLimits(plan, route, listener, paths);
  assert.equal(asked.length, rows.length);
  for (const [at, path] of asked.entries()) {
    const { name, value } = rows[at] ?? { name: '', value: undefined };
    assert(origins.has(path), `${name}: the plan has no ${path}`);
    const [first, second, ...rest] = path.split('.');
    let found: unknown = first === 'routes' ? plan.routes.find(({ name }) => name === second) : null;
    for (const key of first === 'routes' ? rest : path.split('.'))
      found = ((first === 'routes' || found !== null ? found : plan) as Record<string, unknown>)[key];
    assert.equal(found, value, `${name} is not ${path}`);
  }
});
