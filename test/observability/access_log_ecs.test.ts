// The Elastic Common Schema: its names, its units.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ecsLine } from '../../src/observability/access_log_ecs.ts';
import { requestRecord } from './records.ts';

test('what ECS has a name for is under it, in its unit', () => {
  const line = JSON.parse(
    ecsLine(
      requestRecord({
        reason: 'connect_refused',
        status: 502,
        tls: 'TLSv1.3',
        clientCertificate: 'CN=a',
      }),
      '/a?b=***',
      0,
    ),
  );
  assert.equal(line['@timestamp'], '1970-01-01T00:00:00.000Z');
  assert.equal(line['event.duration'], 12_000_000);
  assert.deepEqual(
    [
      line['url.path'],
      line['url.query'],
      line['http.version'],
      line['tls.version'],
      line['tls.client.subject'],
    ],
    ['/a', 'b=***', '1.1', '1.3', 'CN=a'],
  );
  assert.deepEqual(
    [line['error.code'], line['event.outcome'], line['log.level']],
    ['connect_refused', 'failure', 'warn'],
  );
  const [first] = line['fairlead.attempts'];
  assert.deepEqual([first.endpoint, first.ms], ['10.0.0.2:80', 10]);
});

test('who logged in is the user', () => {
  assert.equal(JSON.parse(ecsLine(requestRecord({ user: 'alice' }), '/a', 0))['user.name'], 'alice');
});

test('absent facts have no field', () => {
  const line = JSON.parse(ecsLine(requestRecord(), '/a', 0));
  for (const name of [
    'url.query',
    'user.name',
    'error.code',
    'trace.id',
    'tls.version',
    'tls.client.subject',
    'user_agent.original',
  ])
    assert.equal(name in line, false, name);
  assert.equal(line['event.outcome'], 'success');
});

test('the host and its port are two fields', () => {
  const of = (host: string) => {
    const line = JSON.parse(ecsLine(requestRecord({ host }), '/a', 0));
    return [line['url.domain'], line['url.port']];
  };
  assert.deepEqual(of('a.test:8443'), ['a.test', 8443]);
  assert.deepEqual(of('a.test'), ['a.test', undefined]);
  assert.deepEqual(of('[::1]:80'), ['[::1]', 80]);
  assert.deepEqual(of(''), [undefined, undefined]);
});

test('a line says which service it is of, and is nothing to a terminal', () => {
  const text = ecsLine(requestRecord({ host: '\u009b31m' }), '/a', 0);
  assert.ok(text.includes('\\u009b31m'), text);
  const line = JSON.parse(text);
  assert.deepEqual(
    [line['service.name'], line['event.dataset'], line['event.category']],
    ['fairlead', 'fairlead.access', ['web']],
  );
});
