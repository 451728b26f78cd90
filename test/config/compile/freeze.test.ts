import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical } from '../../../src/config/compile/freeze.ts';
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
