import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLeaks } from '../support/leak_check.ts';
import { startAdmin } from './admin_server.ts';
import { runCommand } from './run_command.ts';

checkLeaks();

test('an id is asked for as it is written, whatever is in it, and what the process says of it is printed', async () => {
  await using server = await startAdmin(404, { error: 'no record of this request' });
  const { code, out, err } = await runCommand(['explain', '--request', 'a/b?c', '--admin', server.address]);
  assert.deepEqual([code, out, err], [1, '', 'fairlead: a/b?c: no record of this request\n']);
  assert.equal(server.asked[0]?.url, '/requests/a%2Fb%3Fc');
});

test('a program gets the record as JSON', async () => {
  await using server = await startAdmin(200, { id: 'r1', cause: 'It was answered.' });
  const { code, out } = await runCommand(['explain', '--json', '--request', 'r1', '--admin', server.address]);
  assert.deepEqual([code, JSON.parse(out)], [0, { id: 'r1', cause: 'It was answered.' }]);
});

test('a process of an earlier version, which sends no keys of settings, is understood all the same', async () => {
  const record = {
    id: 'r1',
    time: '2026-01-01T00:00:00.000Z',
    listener: 'main',
    client: { ip: '192.0.2.1' },
    clientFrom: 'the peer itself',
    request: { method: 'GET', host: 'app.test', path: '/a', protocol: 'HTTP/1.1' },
    status: 502,
    reason: 'a_reason_of_then',
    route: 'api',
    cluster: null,
    rateLimits: [],
    attempts: [],
    retryRefused: null,
    timeout: null,
    timing: { queueMs: 1, pausedMs: 2, totalMs: 30, overheadMs: 4 },
    plan: 'abcdef0123456789',
    cause: 'It failed.',
    nearer: [],
    endpoints: [],
    limits: [
      { name: 'headMs', value: 10000, origin: 'a.yaml:1:2' },
      { name: 'requestMs', value: null, origin: 'default' },
    ],
  };
  await using server = await startAdmin(200, record);
  const { code, out } = await runCommand(['explain', '--request', 'r1', '--admin', server.address]);
  assert.equal(code, 0);
  assert.match(out, /^limits {5}headMs: 10000 \(a\.yaml:1\)\n {11}requestMs: off \(default\)\n/m);
  assert.doesNotMatch(out, /undefined|What it means/);
});
