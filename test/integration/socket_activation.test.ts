// Listeners on descriptors that somebody else has bound, as a service manager does, and one on IPv6.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';
import { SocketHolder } from '../support/socket_holder.ts';

checkLeaks();

test('several sockets are told apart by their names', needs('python3'), async context => {
  const respond = (body: string) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body });
  const route = (name: string) => ({
    name,
    listeners: [name],
    match: { path: { prefix: '/' } },
    respond: respond(name),
  });
  const config = {
    version: 1,
    admin: 'off',
    listeners: { second: { address: 'fd:second' }, first: { address: 'fd:first' } },
    routes: [route('first'), route('second')],
  };
  const holder = new SocketHolder(context, config, 16, 'first', 'second');
  const ports = await holder.ports();
  const pid = await holder.start();
  const bodies = await Promise.all(ports.map(async port => (await fetchRaw({ port }, '/')).text));
  process.kill(pid, 'SIGTERM');
  await holder.stopped(1);
  assert.deepEqual(bodies, ['first', 'second']);
});

test(
  'a descriptor is used once: a listener that comes back by a reload asks for a restart, and the others serve on',
  needs('python3'),
  async context => {
    const respond = { status: 200, body: '' };
    const config = (...names: readonly string[]) => ({
      version: 1,
      admin: 'off',
      process: { reload: { watch: false } },
      listeners: Object.fromEntries(names.map(name => [name, { address: `fd:${name}` }])),
      routes: [{ name: 'all', match: { path: { prefix: '/' } }, respond }],
    });
    const holder = new SocketHolder(context, config('one', 'two'), 16, 'one', 'two');
    const [one = 0] = await holder.ports();
    const pid = await holder.start();
    holder.rewrite(config('one'));
    process.kill(pid, 'SIGHUP');
    await holder.lines.next({ event: 'reload', result: 'applied' });
    holder.rewrite(config('one', 'two'));
    process.kill(pid, 'SIGHUP');
    const { problems } = await holder.lines.next({ event: 'reload', result: 'rejected' });
    assert.match(String(problems), /listener two: fd:two was used .* restart the process/);
    assert.equal((await fetchRaw({ port: one }, '/')).status, 200);
    process.kill(pid, 'SIGTERM');
    await holder.stopped(1);
  },
);

test('a listener and a backend on IPv6', async () => {
  const backend = await startBackend(echo());
  const front = await startProxy(forwardTo([backend.address], { listener: { address: '[::1]:0' } }));
  const { port } = front.target();
  const back = await startProxy(forwardTo([`[::1]:${port}`]));
  const got = await fetchRaw(back.target(), '/through-two');
  assert.equal(got.status, 200);
  assert.match(
    got.text,
    /"127\.0\.0\.1, ::1"|"::1"/,
    'the second proxy trusts nobody, so it names its own peer',
  );
  await back.stop();
  await front.stop();
  await backend.close();
});
