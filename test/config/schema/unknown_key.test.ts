import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage } from '../../../src/config/problems.ts';
import { type Parts, problemsOf } from '../config_text.ts';

const route = (text: string): Parts => ({ routes: `[{ name: all, ${text} }]`, clusters: '{}' });
const respond = (text: string): Parts => route(`respond: { status: 200 }, ${text}`);

function onlyHint(parts: Parts): string | undefined {
  const problems = problemsOf(parts);
  assert.equal(problems.length, 1, problems.map(formatMessage).join('\n'));
  return problems[0]?.hint;
}

test('other ways to write our keys are ours', () => {
  const listener = (text: string): Parts => ({ listeners: `{ main: { address: 127.0.0.1:80, ${text} } }` });
  assert.equal(onlyHint(listener('trusted_proxies: []')), 'did you mean "trustedProxies"?');
  assert.equal(onlyHint(listener('trusted-proxies: []')), 'did you mean "trustedProxies"?');
  assert.equal(onlyHint(listener('TrustedProxies: []')), 'did you mean "trustedProxies"?');
  assert.equal(onlyHint(respond('rate_limits: []')), 'did you mean "rateLimits"?');
});

test('a key that belongs further inside is sent there, and what needs it is not called missing', () => {
  assert.equal(onlyHint(respond('hosts: [a.com]')), 'did you mean match.hosts?');
  assert.equal(onlyHint(respond('prefix: /a')), 'did you mean match.path.prefix?');
  assert.equal(onlyHint(respond('match: { prefix: /a }')), 'did you mean path.prefix?');
  assert.equal(onlyHint(respond('strip_prefix: /a')), 'did you mean rewrite.stripPrefix?');
  assert.equal(onlyHint(route('cluster: app')), 'did you mean forward.cluster?');
  assert.equal(
    onlyHint(route('status: 200')),
    'did you mean redirect.status, respond.status or maintenance.status?',
  );
  assert.equal(
    onlyHint({ listeners: '{ main: { address: 127.0.0.1:80, connectionsPerIp: 5 } }' }),
    'did you mean limits.connectionsPerIp?',
  );
});

test('a key that belongs further outside, too', () => {
  assert.equal(onlyHint(respond('match: { timeouts: { request: 5s } }')), 'it belongs in routes.all');
  assert.equal(
    onlyHint(respond('match: { path: { prefix: /a, methods: [GET] } }')),
    'it belongs in routes.all.match',
  );
  assert.equal(onlyHint(respond('logging: { level: info }')), 'it belongs at the top level');
});

test('fields directly under headers get both sides to choose from', () => {
  assert.equal(
    onlyHint(respond('headers: { X-A: b }')),
    'write request: { set: { X-A: b } } for the backend, or response: { set: { X-A: b } } for the client',
  );
});
