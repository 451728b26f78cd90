import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectStatus } from '../../src/admin/status_selection.ts';
import type { Status } from '../../src/admin/status_table.ts';
import { clusterView, endpointView } from './page_view.ts';

const bad = endpointView({ endpoint: 'b:1', state: 'unhealthy' });
const problem = (subject: string) => ({ severity: 'error', subject, text: '.', key: null, anchor: null });
const status = {
  version: '1',
  clusters: [
    clusterView([endpointView(), bad], { name: 'api' }),
    clusterView([endpointView()], { name: 'web' }),
    clusterView([endpointView()], { name: 'paused', circuit: 'open' }),
  ],
  problems: [problem('cluster api'), problem('process')],
} as unknown as Status;

function namesOf(selected: Status | string): unknown {
  assert.ok(typeof selected !== 'string', String(selected));
  return selected.clusters.map(({ name, endpoints }) => [name, endpoints.map(({ endpoint }) => endpoint)]);
}

test('everything is everything, and the status of the process stays as it is', () => {
  assert.equal(selectStatus(status, { cluster: null, failing: false }), status);
});

test('one cluster comes with its own problems', () => {
  const one = selectStatus(status, { cluster: 'api', failing: false }) as Status;
  assert.deepEqual(namesOf(one), [['api', ['10.0.0.7:80', 'b:1']]]);
  assert.deepEqual(
    one.problems?.map(({ subject }) => subject),
    ['cluster api'],
  );
});

test('only what is not right: endpoints in trouble, and clusters that are', () => {
  const failing = selectStatus(status, { cluster: null, failing: true });
  assert.deepEqual(namesOf(failing), [
    ['api', ['b:1']],
    ['paused', []],
  ]);
  assert.equal((failing as Status).problems?.length, 2);
  assert.deepEqual(namesOf(selectStatus(status, { cluster: 'web', failing: true })), []);
});

test('an unknown cluster is answered with the one that was meant, and those that are there', () => {
  assert.equal(
    selectStatus(status, { cluster: 'apii', failing: false }),
    'there is no cluster apii (did you mean "api"?); clusters: api, web, paused',
  );
  assert.equal(
    selectStatus(status, { cluster: 'something', failing: false }),
    'there is no cluster something; clusters: api, web, paused',
  );
});
