import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../src/config/plan.ts';
import { maskSecrets } from '../../src/config/shown_plan.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';
import { loadedFrom } from './config_text.ts';

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

test('headers for a collector are masked completely, and only the secret part of its address', () => {
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
