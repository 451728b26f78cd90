import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom, type Parts } from '../config_text.ts';

const warnings = (parts: Parts) => loadedFrom(parts).warnings.map(({ message }) => message);
const listener = (rest: string): Parts => ({ listeners: `{ main: { address: 127.0.0.1:8080, ${rest} } }` });

test('whoever believes everybody is told', () => {
  for (const rest of ['trustedProxies: [0.0.0.0/0]', 'trustedProxies: [10.0.0.0/8, "::/0"]'])
    assert.match(warnings(listener(rest)).join(), /^listener main trusts everybody as a proxy/, rest);
  assert.match(
    warnings(listener('proxyProtocol: { from: [0.0.0.0/0] }')).join(),
    /^listener main reads PROXY protocol headers from everybody/,
  );
  const named = 'trustedProxies: [10.0.0.0/8, 203.0.113.0/24], proxyProtocol: { from: [10.0.0.0/20] }';
  assert.deepEqual(warnings(listener(named)), []);
});

test('a route that looks at a field that is not let in is told', () => {
  const routes =
    '[{ name: all, forward: { cluster: app }, match: { headers: { x_team: a } }, rateLimits: [{ key: "header:api_key", rate: 1/s }] }]';
  const found = warnings({ routes });
  assert.equal(found.length, 2, found.join('\n'));
  assert.match(found.join('\n'), /route all can never match: .*x_team/);
  assert.match(found.join('\n'), /a rate limit of route all counts by api_key/);
  const keep = listener('headers: { underscores: keep }');
  assert.deepEqual(warnings({ ...keep, routes }), []);
  const absent =
    '[{ name: all, forward: { cluster: app }, match: { headers: { x_team: { absent: true } } } }]';
  assert.deepEqual(warnings({ routes: absent }), []);
});
