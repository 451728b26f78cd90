import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEdits } from '../../src/admin/edits_in_force.ts';
import { settingText } from '../../src/admin/settings_text.ts';
import { load } from '../support/plan_builder.ts';

const { plan, origins } = load(
  `version: 1
admin: off
listeners:
  main:
    address: 127.0.0.1:8080
    trustedProxies: [10.0.0.0/8]
    access: { deny: [192.0.2.0/24] }
routes:
  - name: api
    match: { path: { prefix: /v1 } }
    rewrite:
      stripPrefix: /v1
      regex: { pattern: "^/a", with: /b }
      addPrefix: /internal
      host: backend.local
    access:
      allow: [10.0.0.0/8, 192.168.0.0/16]
    headers:
      request:
        set: { x-edge: fairlead, x-api-key: sesame }
        remove: [X-Internal]
      response:
        add: { vary: origin }
    forward: { cluster: app }
  - name: plain
    forward: { cluster: app }
  - name: replaced
    match: { path: { exact: /r } }
    rewrite: { replacePath: /all }
    forward: { cluster: app }
clusters: { app: { endpoints: [127.0.0.1:1] } }
`,
  'edge.yaml',
);

function linesOf(name: string | null): string[] {
  const route = plan.routes.find(one => one.name === name) ?? null;
  const listener = plan.listeners['main'];
  assert(listener !== undefined);
  return describeEdits(route, listener, origins).map(settingText);
}

const LISTENER = [
  'listeners.main.access.deny: 192.0.2.0/24 (edge.yaml:7)',
  'listeners.main.trustedProxies: 10.0.0.0/8 (edge.yaml:6)',
];

test('access, rewrites and headers are told by their keys, with their lines, and secrets are masked', () => {
  assert.deepEqual(linesOf('api'), [
    ...LISTENER,
    'routes.api.access.allow: 10.0.0.0/8, 192.168.0.0/16 (edge.yaml:17)',
    'routes.api.rewrite.stripPrefix: /v1 (edge.yaml:12)',
    'routes.api.rewrite.regex: ^/a with /b (edge.yaml:13)',
    'routes.api.rewrite.addPrefix: /internal (edge.yaml:14)',
    'routes.api.rewrite.host: backend.local (edge.yaml:15)',
    'routes.api.headers.request.remove: x-internal (edge.yaml:21)',
    'routes.api.headers.request.set.x-edge: fairlead (edge.yaml:20)',
    'routes.api.headers.request.set.x-api-key: *** (edge.yaml:20)',
    'routes.api.headers.response.add.vary: origin (edge.yaml:23)',
  ]);
  assert.deepEqual(linesOf('replaced').at(-1), 'routes.replaced.rewrite.replacePath: /all (edge.yaml:29)');
});

test('what is not set is not told', () => {
  assert.deepEqual(linesOf('plain'), LISTENER);
  assert.deepEqual(linesOf(null), LISTENER);
});
