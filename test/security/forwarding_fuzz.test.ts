// Goal: whatever a client says of itself, a backend hears it only where it may be believed, and cookies go through untouched.
// Method: heads put together from what clients and proxies write, and from what they should not, through a real proxy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chance, FUZZ_SEED, rounds } from '../support/fuzz.ts';
import { values } from '../support/http1_message.ts';
import { connectHttp2 } from '../support/http2_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startRecordingBackend } from '../support/recording_backend.ts';

checkLeaks();

const ROUNDS = 60;
const { below, oneOf, once } = chance();

const NAMES = [
  'X-Forwarded-For',
  'x-forwarded-for',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X_Forwarded_For',
  'X-Forwarded_Host',
  'X-Real-IP',
  'X_Real_IP',
  'Forwarded',
  'FORWARDED',
  'Via',
  'X-Request-Id',
  'X-Request-Deadline-Ms',
  'traceparent',
  'Connection',
  'TE',
  'Keep-Alive',
];
const VALUES = [
  '',
  '10.0.0.1',
  '10.0.0.1, 10.0.0.2',
  '::1',
  '[2001:db8::1]:443',
  'unknown',
  '_hidden',
  'for=10.0.0.1',
  'for="[::1]";proto=https;host=evil.test',
  'for="unclosed',
  'for=10.0.0.1;;;,,,by=',
  'https',
  'evil.test',
  'evil.test, app.test',
  '443',
  '99999',
  '1.1 a, 1.0 b',
  '1.1 fairlead',
  '1.1 fairlead (00000000)',
  '12345',
  '-1',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'close, X-Forwarded-For',
  'X-Forwarded-For, Forwarded, Cookie',
  'trailers',
  'a'.repeat(200),
  '\xe9\xff',
  '" \\',
];
const CRUMBS = [
  'a=1',
  'b=',
  '=c',
  'd',
  'a=1; b=2',
  '"q"',
  'x=\xe9',
  'long='.padEnd(300, 'x'),
  '__Host-id=1',
  ';',
  'a=b=c',
];
/** What only a proxy in front of us may say. */
const CLAIMS = /^x[-_](?:forwarded[-_].*|real[-_]ip)$/i;

function randomFields(): string[] {
  return Array.from({ length: below(8) }, () => [oneOf(NAMES), oneOf(VALUES)]).flat();
}

test(`what a client says of itself is believed only where it may be (seed ${FUZZ_SEED})`, async () => {
  await using backend = await startRecordingBackend();
  const trusting = { address: '127.0.0.1:0', h2c: true, trustedProxies: ['127.0.0.0/8'] };
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      // One HTTP/2 connection has all requests, however long this runs.
      listener: { h2c: true, limits: { requestsPerConnection: 'off' } },
      listeners: { trusting },
    }),
  );
  const http2 = await connectHttp2(proxy.target());
  const met = { served: 0, refused: 0 };
  for (const round of rounds(ROUNDS)) {
    const fields = randomFields();
    const cookies = Array.from({ length: below(4) }, () => oneOf(CRUMBS));
    const isHttp2 = once(3);
    const listener = !isHttp2 && once(2) ? 'trusting' : 'main';
    const context = `seed ${FUZZ_SEED}, round ${round}, ${listener}: ${JSON.stringify({ isHttp2, fields, cookies })}`;
    const headers = isHttp2 ? fields.filter((_, at) => !isOfConnection(fields, at)) : fields;
    const before = backend.requests.length;
    const target = `/fuzz/${round}`;
    const { status } = isHttp2
      ? await http2.request(target, { ...grouped(headers), cookie: cookies }).answer
      : await fetchRaw(proxy.target(listener), target, {
          headers: [...headers, ...cookies.flatMap(crumb => ['Cookie', crumb])],
        });
    assert.deepEqual(backend.violations, [], context);
    const seen = backend.requests.slice(before);
    if (seen.length === 0) {
      met.refused++;
      assert([400, 408, 431, 504, 508].includes(status), `${status}: ${context}`);
      continue;
    }
    met.served++;
    assert.deepEqual([status, seen.length, seen[0]?.target], [200, 1, target], context);
    const got = seen[0]?.headers ?? [];
    const names = got.filter((_, at) => at % 2 === 0);
    for (const name of ['x-forwarded-for', 'x-request-id', 'x-forwarded-proto', 'x-forwarded-host'])
      assert(values(got, name).length >= 1, `${name} is there: ${context}`);
    assert.equal(values(got, 'x-forwarded-for').length, 1, context);
    assert.equal(values(got, 'x-request-id').length, 1, context);
    assert.match(values(got, 'x-request-id')[0] ?? '', /^[A-Za-z0-9._-]{8,128}$/, context);
    assert.match(values(got, 'x-forwarded-for')[0] ?? '', /(?:^|, ?)127\.0\.0\.1$/, context);
    assert(values(got, 'via').at(-1)?.endsWith(')'), `ours is the last: ${context}`);
    assert(!names.some(name => CLAIMS.test(name) && name.includes('_')), `${names}: ${context}`);
    if (listener === 'main') {
      assert.deepEqual(values(got, 'x-forwarded-for'), ['127.0.0.1'], context);
      assert.deepEqual(values(got, 'x-forwarded-proto'), ['http'], context);
      assert.deepEqual(values(got, 'x-forwarded-host'), ['app.test'], context);
      assert.deepEqual(values(got, 'x-real-ip'), [], context);
      assert.deepEqual(values(got, 'x-forwarded-prefix'), [], context);
      for (const text of values(got, 'forwarded'))
        assert.match(text, /^for=127\.0\.0\.1;host=app\.test;proto=http$/, context);
    }
    if (!namesCookie(headers)) {
      const sent = isHttp2 && cookies.length > 0 ? [cookies.join('; ')] : cookies;
      assert.deepEqual(values(got, 'cookie'), sent, context);
    }
  }
  assert(met.served > 0, JSON.stringify(met));
  await http2.close();
});

/** Name or value of a field that HTTP/2 does not know. */
function isOfConnection(fields: readonly string[], at: number): boolean {
  return /^(?:connection|te|keep-alive)$/i.test(fields[at - (at % 2)] ?? '');
}

function namesCookie(fields: readonly string[]): boolean {
  return values(fields, 'connection').some(text => /cookie/i.test(text));
}

function grouped(fields: readonly string[]): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] ?? '').toLowerCase();
    all[name] = [...(all[name] ?? []), fields[at + 1] ?? ''];
  }
  return all;
}
