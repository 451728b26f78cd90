// The log from outside: for people on a terminal, and in one format for programs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { ProxyOnTerminal } from '../support/proxy_on_terminal.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

const SGR = /\x1b\[\d\d?m/g;

test(
  'on a terminal a request is one coloured line and an event is a sentence, and a client sends no command to it',
  needs('script'),
  async () => {
    await using backend = await startBackend(echo());
    await using proxy = new ProxyOnTerminal(forwardTo([backend.address]), {});
    const port = await proxy.port();
    await fetchRaw({ port }, '/hello?a=1');
    await proxy.shown(/\/hello/);
    using client = await connectRaw({ port });
    await client.send('GET /\x1b[2J\u009b HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.answer();
    await proxy.shown(/bad_request/);
    await proxy.signal('SIGTERM');
    assert.equal(await proxy.ended, 0);
    const lines = proxy.text.split('\r\n');
    const request = lines.find(line => line.includes('/hello')) ?? '';
    assert.match(request, /\x1b\[32m200\x1b\[39m/);
    const plain = lines.map(line => line.replace(SGR, ''));
    const at = String.raw`\d\d:\d\d:\d\d\.\d{3}`;
    for (const pattern of [
      `^${at} info  listener main is open on 127\\.0\\.0\\.1:${port}$`,
      `^${at} info  serving$`,
      `^${at} 200 +[\\d.]+ m?s GET   app\\.test/hello\\?a=1 → ${backend.address}$`,
      `^${at} 400 .* bad_request \\(Not a valid HTTP/1\\.1 request .* id [0-9a-f-]{36}$`,
      `^${at} info  draining: no requests in flight$`,
      `^${at} info  stopped$`,
    ])
      assert.ok(
        plain.some(line => new RegExp(pattern).test(line)),
        `${pattern} in\n${plain.join('\n')}`,
      );
    for (const line of plain) assert.match(line, /^[\x20-\x7e→]*$/, JSON.stringify(line));
  },
);

test(
  'NO_COLOR and a dumb terminal get the same words without colour, and logging.format: json is JSON there too',
  needs('script'),
  async () => {
    await using backend = await startBackend(echo());
    for (const [env, format] of [
      [{ NO_COLOR: '1' }, 'auto'],
      [{ TERM: 'dumb' }, 'auto'],
      [{}, 'json'],
    ] as const) {
      await using proxy = new ProxyOnTerminal(forwardTo([backend.address], { logging: { format } }), env);
      await proxy.shown(/serving/);
      await proxy.signal('SIGTERM');
      assert.equal(await proxy.ended, 0);
      assert.ok(!proxy.text.includes('\x1b'), proxy.text);
      assert.match(
        proxy.text,
        format === 'json' ? /^\{"level":30,.*"to":"serving"/m : / info {2}serving\r$/m,
      );
    }
  },
);

test(
  'a terminal that takes nothing more does not hold up requests, nor the end',
  needs('script'),
  async () => {
    await using backend = await startBackend(echo());
    await using proxy = new ProxyOnTerminal(forwardTo([backend.address]), {});
    const port = await proxy.port();
    await proxy.shown(/serving/);
    proxy.pause();
    const path = `/${'a'.repeat(100)}`;
    for (let round = 0; round < 40; round++)
      await Promise.all(Array.from({ length: 50 }, () => fetchRaw({ port }, path)));
    await proxy.signal('SIGTERM');
    while (await proxy.isRunning()) await new Promise(resolve => setImmediate(resolve));
    proxy.resume();
    assert.equal(await proxy.ended, 0);
  },
);

test('with ecs every line has the same schema, also those of events', async () => {
  await using backend = await startBackend(echo());
  const proxy = await startProxy(forwardTo([backend.address], { logging: { access: { format: 'ecs' } } }));
  await fetchRaw(proxy.target(), '/');
  await proxy.stop();
  assert.deepEqual(proxy.lines.noise, []);
  for (const line of proxy.lines.all)
    for (const name of ['@timestamp', 'log.level', 'message', 'service.name', 'event.dataset'])
      assert.equal(typeof line[name], 'string', `${name} of ${JSON.stringify(line)}`);
  assert.equal(proxy.lines.find({ 'event.dataset': 'fairlead.access' }).length, 1);
  assert.equal(proxy.lines.find({ 'event.action': 'listener_opened' }).length, 1);
});

test('with combined every line is one of an access log or one of an error log', async () => {
  await using backend = await startBackend(echo());
  const proxy = await startProxy(
    forwardTo([backend.address], { logging: { access: { format: 'combined' } } }),
  );
  await fetchRaw(proxy.target(), '/');
  await proxy.stop();
  assert.deepEqual(proxy.lines.all, [], 'no JSON');
  const access = /^127\.0\.0\.1 - - \[\S+ \+0000\] "GET \/ HTTP\/1\.1" 200 \d+ "-" "[^"]*"$/;
  const event = new RegExp(`^\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d \\[\\w+\\] ${process.pid}#0: \\w+: .`);
  assert.equal(proxy.lines.noise.filter(line => access.test(line)).length, 1);
  for (const line of proxy.lines.noise) assert.ok(access.test(line) || event.test(line), line);
});
