import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looksLikeReason, runExplainReason } from '../../src/cli/explain_reason.ts';
import { captured } from './captured.ts';

const explain = (name: string, json = false) => captured(async () => runExplainReason(name, json));

test('a reason is explained, however its words are joined', async () => {
  for (const name of ['tls_failed', 'TLS_FAILED', 'tls-failed']) {
    const { code, out } = await explain(name);
    assert.equal(code, 0);
    assert.match(out, /^tls_failed: The TLS handshake with the backend failed\./);
  }
});

test('an unknown one is code 64, with the one that was meant and all there are', async () => {
  const { code, out, err } = await explain('tls_faild');
  assert.deepEqual([code, out], [64, '']);
  assert.match(
    err,
    /^fairlead: unknown reason "tls_faild" \(did you mean "tls_failed"\?\); reasons:\n {2}bad_request, /,
  );
  assert.match(err, /\nA URL begins with http:\/\/ or https:\/\/\n$/);
});

test('a program gets the parts as JSON', async () => {
  const { out } = await explain('no_route', true);
  const found = JSON.parse(out);
  assert.deepEqual(Object.keys(found), ['reason', 'facts', 'means', 'findTheCause', 'change']);
  assert.equal(found.reason, 'no_route');
});

test('a URL, a host with a domain or a port, and a path are no reasons', () => {
  for (const word of ['http://a/', 'app.test', 'localhost:8080', '/v1', 'a?b', ''])
    assert.equal(looksLikeReason(word), false, word);
  for (const word of ['tls_failed', 'localhost', 'tls-failed'])
    assert.equal(looksLikeReason(word), true, word);
});
