// Access lists of listeners and routes, seen from outside, with the addresses that this machine has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

interface Lists {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** Status for a client on each of these addresses. */
async function statuses(
  where: 'listener' | 'route',
  access: Lists,
  ...clients: readonly string[]
): Promise<number[]> {
  await using backend = await startBackend(answer());
  await using proxy = await startProxy(forwardTo([backend.address], { [where]: { access } }));
  const got = [];
  for (const localAddress of clients)
    got.push((await fetchRaw({ ...proxy.target(), localAddress }, '/')).status);
  assert.equal(backend.requests.length, got.filter(status => status === 200).length);
  return got;
}

for (const where of ['listener', 'route'] as const) {
  test(`${where}: an empty allow admits everybody, one that is not only those in it, and deny wins`, async () => {
    const clients = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;
    assert.deepEqual(await statuses(where, {}, ...clients), [200, 200, 200]);
    assert.deepEqual(await statuses(where, { deny: ['127.0.0.2'] }, ...clients), [200, 403, 200]);
    assert.deepEqual(await statuses(where, { allow: ['127.0.0.2/31'] }, ...clients), [403, 200, 200]);
    const both = { allow: ['127.0.0.0/8'], deny: ['127.0.0.2'] };
    assert.deepEqual(await statuses(where, both, ...clients), [200, 403, 200]);
    assert.deepEqual(
      await statuses(where, { allow: ['127.0.0.2'], deny: ['127.0.0.0/8'] }, ...clients),
      [403, 403, 403],
    );
  });
}

test('an IPv4 client of a listener on all addresses is the same as IPv4 and as IPv4 mapped into IPv6', async () => {
  await using backend = await startBackend(answer());
  const status = async (access: Lists, headers: readonly string[] = []) => {
    const listener = { address: '[::]:0', trustedProxies: ['127.0.0.9'], access };
    await using proxy = await startProxy(forwardTo([backend.address], { listener }));
    const localAddress = headers.length === 0 ? '127.0.0.2' : '127.0.0.9';
    return (await fetchRaw({ port: proxy.target().port, localAddress }, '/', { headers })).status;
  };
  assert.equal(await status({ deny: ['127.0.0.2'] }), 403);
  assert.equal(await status({ deny: ['::ffff:127.0.0.2'] }), 403);
  assert.equal(await status({ allow: ['127.0.0.2'] }), 200);
  assert.equal(await status({ allow: ['::1'] }), 403);
  const mapped = ['X-Forwarded-For', '::ffff:10.1.2.3'];
  assert.equal(await status({ deny: ['10.0.0.0/8'] }, mapped), 403, 'as a trusted proxy names it');
  assert.equal(await status({ allow: ['10.1.2.3'] }, mapped), 200);
});

test('behind a trusted proxy the address of the client counts; from any other peer its claim is ignored', async () => {
  await using backend = await startBackend(answer());
  const listener = { trustedProxies: ['127.0.0.9'], access: { deny: ['10.0.0.0/8'] } };
  await using proxy = await startProxy(forwardTo([backend.address], { listener }));
  const status = async (localAddress: string, forwardedFor: string) =>
    (await fetchRaw({ ...proxy.target(), localAddress }, '/', { headers: ['X-Forwarded-For', forwardedFor] }))
      .status;
  assert.equal(await status('127.0.0.9', '10.1.1.1'), 403);
  assert.equal(await status('127.0.0.9', '10.1.1.1, 192.0.2.1'), 200);
  assert.equal(await status('127.0.0.1', '10.1.1.1'), 200);
});
