import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical, maskSecrets } from '../../../src/config/compile/freeze.ts';
import type { Plan } from '../../../src/config/plan.ts';
import { forwardTo, planOf } from '../../support/plan_builder.ts';
import { loadedFrom } from '../config_text.ts';

const plan = loadedFrom({}).plan;

test('nothing in a plan can be changed', () => {
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    assert.ok(Object.isFrozen(value), path);
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  visit(plan, 'plan');
});

test('a plan is plain data: it survives a clone and JSON, and nothing in it is undefined', () => {
  assert.deepEqual(structuredClone(plan), plan);
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
});

test('the digest depends on what a plan means, not on how it was written', () => {
  const clusters = '{ a: { endpoints: [x:1] }, b: { endpoints: [y:1] } }';
  const routes =
    '[{ name: one, match: { path: { prefix: /a } }, forward: { cluster: a } }, { name: two, match: { path: { prefix: /b } }, forward: { cluster: b } }]';
  const base = loadedFrom({ clusters, routes }).plan.digest;
  assert.match(base, /^[0-9a-f]{64}$/);
  const turned = {
    clusters:
      '{ b: { endpoints: ["y:1"] }, a: { pool: { idle: 4000ms }, endpoints: [{ address: x:1 }] } } # the same',
    routes:
      '[{ forward: { cluster: b }, match: { path: { prefix: /b/ } }, name: two }, { name: one, match: { path: { prefix: /%61 } }, forward: { cluster: a } }]',
  };
  assert.equal(loadedFrom(turned).plan.digest, base, 'order, units, defaults and comments do not count');
  assert.notEqual(loadedFrom({ clusters: clusters.replace('x:1', 'x:2'), routes }).plan.digest, base);
});

test('the canonical form sorts keys and nothing else', () => {
  assert.equal(
    canonical({ b: [2, 1, { d: null, c: 'ü"' }], a: true }),
    '{"a":true,"b":[2,1,{"c":"ü\\"","d":null}]}',
  );
});

test('secrets are not shown: keys, and fields that carry a password', () => {
  const { plan: secret } = loadedFrom({
    routes:
      '[{ name: all, forward: { cluster: app }, match: { headers: { x-api-key: "hunter2", x-a: shown } }, headers: { request: { set: { Authorization: "Bearer hunter2", x-b: shown }, add: { cookie: hunter2 }, remove: [x-token, x-secret] } } }]',
  });
  const withKey = {
    ...secret,
    listeners: { main: { tls: { certificates: [{ certPem: 'shown', keyPem: 'hunter2' }] } } },
  } as unknown as Plan;
  const text = JSON.stringify(maskSecrets(withKey));
  assert.ok(!text.includes('hunter2'));
  assert.equal(text.match(/"shown"/g)?.length, 3);
  assert.ok(text.includes('["x-token","x-secret"]'), 'names of fields are no secrets');
  assert.ok(JSON.stringify(withKey).includes('hunter2'), 'the plan itself is untouched');
  assert.ok(!text.includes('"keyPem":null'));
});

test('what a collector is told is masked whole, and the rest of its address is not', () => {
  const headers = { 'x-honeycomb-team': 'hunter2' };
  const otlp = { endpoint: 'http://me:hunter2@collector:4318', headers };
  const traced = planOf({ ...forwardTo(['127.0.0.1:1']), tracing: { otlp } });
  const text = JSON.stringify(maskSecrets(traced));
  assert.ok(!text.includes('hunter2'), text);
  assert.ok(text.includes('@collector:4318') && text.includes('x-honeycomb-team'));
});

test('the token of the admin API is not shown by the admin API', () => {
  const token = 'hunter2-'.repeat(4);
  const guarded = planOf({ ...forwardTo(['127.0.0.1:1']), admin: { address: '127.0.0.1:0', token } });
  assert.equal(guarded.admin.token, token, 'the plan itself has it');
  const shown = JSON.stringify(maskSecrets(guarded));
  assert.ok(!shown.includes('hunter2'), shown);
});
