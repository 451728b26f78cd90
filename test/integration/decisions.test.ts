// Why did that happen? Asked of the admin API, of the log and of the command line, with nothing but a request id.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { answer, echo, resetBeforeHead } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

const ADMIN = { admin: { address: '127.0.0.1:0' } };
const LOCAL = { headers: ['Host', 'localhost'] };

async function look(proxy: ProxyInProcess, path: string) {
  const { status, text } = await fetchRaw(proxy.admin(), path, LOCAL);
  return { status, body: JSON.parse(text) };
}

test('a failure keeps its whole story: route, attempts, what stood against another, limits with their lines', async () => {
  await using backend = await startBackend(resetBeforeHead());
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      ...ADMIN,
      route: { retries: { attempts: 1 } },
      routes: [
        { name: 'posts', match: { path: { prefix: '/' }, methods: ['POST'] }, forward: { cluster: 'app' } },
      ],
    }),
  );
  const failed = await fetchRaw(proxy.target(), '/a?token=x', {
    headers: ['Authorization', 'Bearer secret'],
  });
  const id = String(value(failed.headers, 'x-request-id'));
  const { status, body, text } = await fetchRaw(proxy.admin(), `/requests/${id}`, LOCAL).then(answered => ({
    ...answered,
    body: JSON.parse(answered.text),
  }));
  assert.equal(status, 200);
  assert.deepEqual(
    [body.reason, body.status, body.route, body.policy],
    ['reset_before_head', 502, 'all', 'leastRequests'],
  );
  assert.deepEqual(
    body.attempts.map((attempt: { endpoint: string; reason: string }) => [attempt.endpoint, attempt.reason]),
    [
      [backend.address, 'reset_before_head'],
      [backend.address, 'reset_before_head'],
    ],
  );
  assert.equal(body.retryRefused, 'attempts_used_up');
  assert.match(
    body.cause,
    /closed the connection .*the last attempt went to .*after 2 attempts; not retried/,
  );
  assert.deepEqual(body.nearer, [{ route: 'posts', reason: 'method is GET, the route requires POST' }]);
  const attempts = body.limits.find(({ name }: { name: string }) => name === 'retries.attemptsMax');
  assert.match(attempts.origin, /^fairlead\.yaml:\d+:\d+$/);
  const [{ endpoint, state, lastError }] = body.endpoints;
  assert.deepEqual([endpoint, state, lastError], [backend.address, 'unchecked', 'reset_before_head']);
  assert.match(body.clientFrom, /not a trusted proxy/);
  assert.doesNotMatch(text, /secret/);

  const listed = await look(proxy, '/requests?reason=reset_before_head&limit=1');
  assert.deepEqual(
    listed.body.map((one: { id: string }) => one.id),
    [id],
  );
  assert.deepEqual((await look(proxy, '/requests?reason=no_route')).body, []);
  assert.equal((await look(proxy, '/requests/unknown')).status, 404);

  proxy.rewrite(
    forwardTo([backend.address], { admin: { address: '127.0.0.1:0' }, route: { name: 'renamed' } }),
  );
  assert.equal((await proxy.proxy.reload('signal')).kind, 'applied');
  const later = (await look(proxy, `/requests/${id}`)).body;
  assert.deepEqual([later.nearer, later.limits], [body.nearer, body.limits], 'the plan of then is kept');
});

test('one success a second is recorded, and every request whose client may and does ask for it', async () => {
  await using backend = await startBackend(echo());
  const asking = ['X-Fairlead-Explain', '1'];
  const config = (from: string[]) =>
    forwardTo([backend.address], { ...ADMIN, logging: { explain: { from } } });
  await using proxy = await startProxy(config(['127.0.0.1/32']));
  for (let count = 0; count < 20; count++) await fetchRaw(proxy.target(), '/');
  const kept = (await look(proxy, '/requests')).body.length;
  assert.ok(kept >= 1 && kept <= 3, `${kept} of 20`);
  const asked = await fetchRaw(proxy.target(), '/', { headers: asking });
  const id = String(value(asked.headers, 'x-fairlead-explain'));
  assert.equal(id, value(asked.headers, 'x-request-id'));
  assert.doesNotMatch(asked.text, /fairlead-explain/i, 'the backend does not hear of it');
  const { body } = await look(proxy, `/requests/${id}`);
  assert.match(body.cause, /^Status 200 from app 127\.0\.0\.1:\d+\.$/);

  await using closed = await startProxy(config([]));
  const ignored = await fetchRaw(closed.target(), '/', { headers: asking });
  assert.equal(value(ignored.headers, 'x-fairlead-explain'), null);
});

test('the command line tells it to a person', async () => {
  await using backend = await startBackend(answer({ status: 503 }));
  await using proxy = await startProxy(forwardTo([backend.address], ADMIN));
  const refused = await fetchRaw(proxy.target(), '/nothing', { headers: ['Host', 'a.test'] });
  const id = String(value(refused.headers, 'x-request-id'));
  proxy.rewrite(forwardTo([backend.address], { admin: { address: `127.0.0.1:${proxy.admin().port}` } }));
  const run = (...words: string[]) =>
    promisify(execFile)(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'src/main.ts'),
      'explain',
      '--config',
      proxy.configFile,
      ...words,
    ]);
  const { stdout } = await run('--request', id);
  assert.match(stdout, /^Status 503 from app 127\.0\.0\.1:\d+\.\n/);
  assert.match(stdout, new RegExp(`attempt {4}${backend.address} {2}status 503`));
  assert.equal(JSON.parse((await run('--request', id, '--json')).stdout).id, id);
  await assert.rejects(run('--request', 'unknown'), { code: 1, stderr: /no record of this request/ });
});
