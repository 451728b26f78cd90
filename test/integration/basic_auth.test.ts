// Routes that require a login: real passwords, a real thread that checks them, and floods of wrong ones.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer, tunnel } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { type ForwardOptions, forwardTo } from '../support/plan_builder.ts';
import { ROOT, startProxy, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest, type Target } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

const USERS = join(ROOT, 'test/support/users/users.htpasswd');
const BASIC = { file: USERS, realm: 'the "house"' };

function login(name: string, password: string): string[] {
  return ['Authorization', `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`];
}

function guarded(
  backend: { readonly address: string },
  options: ForwardOptions = {},
  basicAuth: object = BASIC,
) {
  return forwardTo([backend.address], { ...options, route: { basicAuth, ...options.route } });
}

test('users are served with each kind of hash; the backend does not see the password, and the log has the user', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(guarded(backend));
  const users = [
    ['alice', 'open sesame'],
    ['carol', 'pässword'],
    ['dave', 'pa:ss'],
    ['eve', 'slow'],
  ] as const;
  for (const [name, password] of users) {
    const { status } = await fetchRaw(proxy.target(), `/${name}`, { headers: login(name, password) });
    assert.equal(status, 200, name);
    assert.equal((await proxy.lines.next({ path: `/${name}` }))['user'], name);
  }
  for (const { headers } of backend.requests) assert.equal(value(headers, 'authorization'), null);
});

test('all others get a 401 with the realm, and no request reaches the backend', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(guarded(backend));
  const [, right = ''] = login('alice', 'open sesame');
  const strangers: readonly (readonly string[])[] = [
    [],
    login('alice', 'open sesam'),
    login('alice', ''),
    login('nobody', 'open sesame'),
    login('', ''),
    ['Authorization', 'Basic ?'],
    ['Authorization', 'Basic'],
    ['Authorization', right.replace('Basic', 'Bearer')],
    ['Authorization', `Basic ${Buffer.from('alice').toString('base64')}`],
    ['Proxy-Authorization', right],
  ];
  for (const headers of strangers) {
    const refused = await fetchRaw(proxy.target(), '/', {
      headers: [...headers, 'Accept', 'application/json'],
    });
    assert.equal(refused.status, 401, headers.join(' '));
    assert.equal(
      value(refused.headers, 'www-authenticate'),
      'Basic realm="the \\"house\\"", charset="UTF-8"',
    );
    assert.equal(JSON.parse(refused.text).reason, 'auth_required');
  }
  assert.equal(
    (await fetchRaw(proxy.target(), '/', { headers: ['Authorization', right.replace('Basic', 'bASIC')] }))
      .status,
    200,
  );
  const twice = await fetchRaw(proxy.target(), '/', {
    headers: ['Authorization', right, 'Authorization', right],
  });
  assert.equal(twice.status, 400, 'which of them the backend would take is unknown');
  assert.equal(backend.requests.length, 1);
  for (const line of proxy.lines.find({ status: 401 })) assert.equal('user' in line, false);
});

test('the backend gets the Authorization field if the route says so, and one that the route sets in any case', async () => {
  await using backend = await startBackend(answer());
  const [, right = ''] = login('alice', 'open sesame');
  const get = async (options: ForwardOptions, basicAuth: object) => {
    await using proxy = await startProxy(guarded(backend, options, basicAuth));
    assert.equal((await fetchRaw(proxy.target(), '/', { headers: ['Authorization', right] })).status, 200);
    return value(backend.requests.at(-1)?.headers ?? [], 'authorization');
  };
  assert.equal(await get({}, { ...BASIC, forwardAuthorization: true }), right);
  const own = { route: { headers: { request: { set: { Authorization: 'Bearer backend' } } } } };
  assert.equal(await get(own, BASIC), 'Bearer backend');
});

test('HTTP/2 and WebSocket handshakes log in too', async () => {
  await using backend = await startBackend(
    tunnel(
      ({ socket }) =>
        void socket
          .on('end', () => socket.end())
          .resume()
          .write('hello'),
    ),
  );
  await using proxy = await startProxy(guarded(backend, { listener: { h2c: true } }));
  const offer = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
  const refused = await fetchRaw(proxy.target(), '/', { headers: offer });
  assert.equal(refused.status, 401);
  using client = await connectRaw(proxy.target());
  await client.send(formatRequest('/', { headers: [...offer, ...login('eve', 'slow')] }));
  assert.equal((await client.head()).status, 101);
  assert.equal(String(await client.reader.exactly(5)), 'hello');
  client.destroy();

  await using web = await startBackend(answer());
  await using other = await startProxy(guarded(web, { listener: { h2c: true } }));
  const http2 = await connectHttp2({ port: other.target().port });
  const [, authorization = ''] = login('alice', 'open sesame');
  assert.equal((await http2.request('/', {}).answer).status, 401);
  const uploaded = await http2.request(
    '/',
    { ':method': 'POST', authorization },
    'a body that ends while we wait',
  ).answer;
  assert.equal(uploaded.status, 200);
  assert.equal(web.requests[0]?.method, 'POST');
  await http2.close();
});

test('a body that arrives before the password is checked reaches the backend whole', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(guarded(backend));
  const body = 'x'.repeat(200_000);
  const posted = await fetchRaw(proxy.target(), '/', { method: 'POST', body, headers: login('eve', 'slow') });
  assert.equal(posted.status, 200);
  assert.equal((await proxy.lines.next({ status: 200 }))['bytesIn'], body.length);
});

test('a client that leaves while its password is checked is gone', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(guarded(backend));
  {
    using client = await connectRaw(proxy.target());
    await client.send(formatRequest('/gone', { headers: login('eve', 'slow') }));
    while (proxy.report.status().requests.active === 0) await new Promise(setImmediate);
  }
  assert.equal((await proxy.lines.next({ path: '/gone' }))['reason'], 'client_gone');
  assert.equal((await fetchRaw(proxy.target(), '/', { headers: login('eve', 'slow') })).status, 200);
  assert.equal(backend.requests.length, 1);
});

test('a time limit of the request holds while its password is checked', async () => {
  await using backend = await startBackend(answer());
  const timeouts = { request: '20ms', responseHead: 'off' };
  await using proxy = await startProxy(guarded(backend, { route: { timeouts } }));
  const late = await fetchRaw(proxy.target(), '/', { headers: login('eve', 'slow') });
  assert.equal(late.status, 504);
  const line = await proxy.lines.next({ status: 504 });
  assert.equal(line['reason'], 'request_timeout');
  assert.equal((line['timeout'] as { name: string }).name, 'request');
  assert.equal(backend.requests.length, 0);
});

test('a changed file of users is reloaded, and a damaged one changes nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-users-'));
  const file = join(folder, 'users');
  const lines = readFileSync(USERS, 'utf8').split('\n');
  const put = (...names: readonly string[]) =>
    writeFileSync(file, lines.filter(line => names.includes(line.split(':')[0] ?? '')).join('\n'));
  try {
    put('alice', 'dave');
    await using backend = await startBackend(answer());
    const config = guarded(backend, { process: { reload: { watch: true } } }, { file });
    await using proxy = await startProxyProcess(config);
    const status = async (name: string, password: string) =>
      (await fetchRaw(proxy.target(), '/', { headers: login(name, password) })).status;
    assert.equal(await status('alice', 'open sesame'), 200);
    put('dave');
    assert.equal((await proxy.lines.next({ event: 'reload' }))['result'], 'applied');
    assert.equal(await status('alice', 'open sesame'), 401, 'also the one who was known');
    assert.equal(await status('dave', 'pa:ss'), 200);
    writeFileSync(file, 'dave:$apr1$PRjzb10a$fNjRFoXgjriHpwVnfdpz7.\n');
    const { problems } = await proxy.lines.next({ event: 'reload', result: 'rejected' });
    assert.match(
      String(problems),
      /users:1: user dave: MD5 \(apr1\) is not accepted; write the line again with: htpasswd -B/,
    );
    assert.doesNotMatch(String(problems), /PRjzb10a/);
    assert.equal(await status('dave', 'pa:ss'), 200);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a flood of wrong logins delays neither known nor new users, and the excess is refused', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(guarded(backend));
  const frank = (password: string, target: Target = proxy.target()) =>
    fetchRaw(target, '/', { headers: login('frank', password) });
  assert.equal((await frank('demo')).status, 200);
  const attacker = { ...proxy.target(), localAddress: '127.0.0.2' };
  const counts = { checked: 0, refused: 0, guesses: 0 };
  let isOver = false;
  const guess = async (): Promise<void> => {
    while (!isOver) {
      const { status } = await frank(`guess ${counts.guesses++}`, attacker);
      if (status === 401) counts.checked++;
      else if (status === 503) counts.refused++;
      else throw new Error(`a wrong password got ${status}`);
    }
  };
  const flood = Promise.all(Array.from({ length: 11 }, guess));
  while (counts.checked === 0) await new Promise(setImmediate);
  const before = counts.checked;
  for (let count = 0; count < 100; count++) assert.equal((await frank('demo')).status, 200);
  const meanwhile = counts.checked - before;
  assert.ok(
    meanwhile < 50,
    `100 requests did not wait for checks of the attacker: ${meanwhile} of them meanwhile`,
  );
  assert.equal((await fetchRaw(proxy.target(), '/', { headers: login('alice', 'open sesame') })).status, 200);
  isOver = true;
  await flood;
  assert.ok(counts.refused > 0, 'one client has at most 8 checks waiting');
  assert.equal(proxy.lines.find({ reason: 'overloaded' })[0]?.['detail'], 'password_checks');
});

test('access lists and rate limits are checked before any password', async () => {
  await using backend = await startBackend(answer());
  const rateLimits = [{ key: 'clientIp', rate: '1/h', burst: 2 }];
  await using proxy = await startProxy(guarded(backend, { route: { rateLimits } }));
  const statuses = [];
  for (let count = 0; count < 3; count++)
    statuses.push(
      (await fetchRaw(proxy.target(), '/', { headers: login('alice', `guess ${count}`) })).status,
    );
  assert.deepEqual(statuses, [401, 401, 429]);
});

test('explain shows that a route requires a login, and the plan shows no hash', async () => {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(guarded(backend, { admin: { address: '127.0.0.1:0' } }));
  const { port } = proxy.target();
  const headers = ['Host: a', 'Authorization: Basic xyz'];
  const explained = proxy.report.explain({ url: `http://127.0.0.1:${port}/`, header: headers });
  assert.ok('auth' in explained);
  assert.deepEqual([explained.auth?.scheme, explained.auth?.realm], ['basic', 'the "house"']);
  assert.equal(value(explained.upstream?.headers ?? [], 'authorization'), null);
  const plan = JSON.stringify(proxy.report.plan());
  assert.match(plan, /"name":"alice","passwordHash":"\*\*\*"/);
  assert.doesNotMatch(plan, /\$2y\$/);
});

test('examples/basic-auth.yaml keeps a part of the site for its users, in every spelling of the path', async () => {
  await using backend = await startBackend(answer());
  const text = readFileSync(join(ROOT, 'examples/basic-auth.yaml'), 'utf8')
    .replace('127.0.0.1:8080', '127.0.0.1:0')
    .replace('127.0.0.1:9000', backend.address)
    .replace('basic-auth.htpasswd', join(ROOT, 'examples/basic-auth.htpasswd'));
  await using proxy = await startProxy(text);
  const get = async (path: string, headers: readonly string[] = []) =>
    (await fetchRaw(proxy.target(), path, { headers })).status;
  assert.equal(await get('/'), 200);
  for (const path of ['/internal', '/internal/a', '//internal', '/internal;x', '/%69nternal'])
    assert.equal(await get(path), 401, path);
  assert.equal(await get('/internal', login('demo', 'demo')), 200);
  assert.equal(await get('/internal', login('demo', 'guess')), 401);
});
