// Offline explanations at their edges: which listener, what the client typed, what is refused before a route is used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainOffline } from '../../src/admin/explain.ts';
import type { Question } from '../../src/admin/explain_question.ts';
import type { Explanation } from '../../src/admin/explanation.ts';
import * as certificates from '../support/certificates.ts';
import { value } from '../support/http1_message.ts';
import { load } from '../support/plan_builder.ts';

const { certFile, keyFile } = certificates.server;
const { plan, origins } = load({
  version: 1,
  admin: 'off',
  listeners: {
    secure: { address: '127.0.0.1:8443', tls: { certificates: [{ certFile, keyFile }] } },
    plain: { address: '127.0.0.1:8080', trustedProxies: ['10.0.0.0/8'] },
    private: { address: '127.0.0.1:9000', access: { deny: ['192.0.2.0/24'] }, healthPath: '/-/ready' },
  },
  routes: [
    { name: 'all', match: { path: { prefix: '/' } }, forward: { cluster: 'app' } },
    {
      name: 'guarded',
      match: { path: { prefix: '/guarded' } },
      access: { allow: ['127.0.0.0/8'] },
      forward: { cluster: 'app' },
      headers: { request: { set: { 'x-api-key': 'hidden' } } },
    },
    {
      name: 'moved',
      match: { path: { prefix: '/old' } },
      redirect: { status: 308, to: 'https://{host}/new{query}' },
    },
  ],
  clusters: { app: { endpoints: ['127.0.0.1:1'] } },
});

const ask = (question: Partial<Question>) =>
  explainOffline(plan, origins, {
    url: 'http://app.test/',
    method: 'GET',
    headers: [],
    clientIp: '127.0.0.1',
    listener: null,
    ...question,
  });

function explained(question: Partial<Question>): Explanation {
  const found = ask(question);
  assert(!('error' in found), JSON.stringify(found));
  return found;
}

test('the path is asked for as it was typed, dots and all, and not as a URL library would tidy it', () => {
  const dots = explained({ url: 'http://app.test/guarded/../old' });
  assert.equal(dots.request.path, '/guarded/../old');
  assert.deepEqual([dots.route, dots.refused?.reason, dots.refused?.status], [null, 'bad_request', 400]);
  const coded = explained({ url: 'http://app.test/a%7Eb?q=%20#part' });
  assert.deepEqual([coded.request.path, coded.request.matchPath], ['/a%7Eb?q=%20', '/a~b']);
  assert.equal(explained({ url: 'http://app.test?q=1' }).request.path, '/?q=1');
});

test('what cannot be asked is an error and no explanation', () => {
  assert.deepEqual(ask({ listener: 'plane' }), {
    error:
      'there is no listener "plane" (did you mean "plain"?); listeners: plain (http, 127.0.0.1:8080), private (http, 127.0.0.1:9000), secure (https, 127.0.0.1:8443)',
  });
});

test('a Host among the headers is the host of the request', () => {
  assert.equal(explained({ headers: ['host: other.test'] }).request.host, 'other.test');
  assert.equal(explained({}).request.host, 'app.test');
});

test('a client that may not come in sees the route that refuses it, by the route or by the listener', () => {
  const byRoute = explained({ url: 'http://app.test/guarded', clientIp: '192.0.2.9' });
  assert.deepEqual([byRoute.route, byRoute.refused?.status], ['guarded', 403]);
  const byListener = explained({ listener: 'private', clientIp: '192.0.2.9' });
  assert.deepEqual([byListener.route, byListener.refused?.status], ['all', 403]);
  assert.equal(explained({ url: 'http://app.test/guarded' }).refused, null);
});

test('a trusted proxy names the client, any other peer does not', () => {
  const headers = ['x-forwarded-for: 192.0.2.9'];
  const trusted = explained({ clientIp: '10.0.0.1', headers });
  assert.deepEqual([trusted.client.ip, trusted.client.peerTrusted], ['192.0.2.9', true]);
  assert.match(trusted.client.from, /X-Forwarded-For, from the trusted proxy 10\.0\.0\.1/);
  assert.match(explained({ clientIp: '10.0.0.1' }).client.from, /named no other client/);
  const stranger = explained({ clientIp: '203.0.113.5', headers });
  assert.deepEqual([stranger.client.ip, stranger.client.from], ['203.0.113.5', '']);
});

test('the backend is shown with the scheme of the listener, and without secrets', () => {
  const { upstream } = explained({
    url: 'https://app.test/guarded/x',
    headers: ['authorization: Bearer abc'],
  });
  assert(upstream !== null);
  assert.equal(value(upstream.headers, 'x-forwarded-proto'), 'https');
  assert.equal(value(upstream.headers, 'authorization'), '***');
  assert.equal(value(upstream.headers, 'x-api-key'), '***');
});

test('a redirect is shown with the place that this request would get', () => {
  const { action, upstream } = explained({ url: 'http://app.test/old?a=1' });
  assert.deepEqual(action, { kind: 'redirect', status: 308, location: 'https://app.test/new?a=1' });
  assert.equal(upstream, null);
});

test('no route is told with the hosts and listeners where there is one, a route with none of it', () => {
  assert.equal(explained({ url: 'http://app.test/' }).elsewhere, null);
  const none = load({
    version: 1,
    admin: 'off',
    listeners: { main: { address: '127.0.0.1:8080' } },
    routes: [{ name: 'api', match: { hosts: ['api.test'] }, forward: { cluster: 'app' } }],
    clusters: { app: { endpoints: ['127.0.0.1:1'] } },
  });
  const found = explainOffline(none.plan, none.origins, {
    url: 'http://ap.test/',
    method: 'GET',
    headers: [],
    clientIp: '127.0.0.1',
    listener: null,
  });
  assert(!('error' in found));
  assert.deepEqual([found.route, found.elsewhere?.didYouMean], [null, 'api.test']);
});

test('the health check of a listener needs no route: the proxy responds, also to clients that may not come in', () => {
  const health = explained({ listener: 'private', url: 'http://app.test/-/ready', clientIp: '192.0.2.9' });
  assert.deepEqual([health.route, health.refused, health.action], [null, null, { kind: 'health' }]);
  assert.equal(explained({ url: 'http://app.test/-/ready' }).route, 'all', 'another listener has none');
});

test('a client that the listener refuses is refused before it is told that there is no route', () => {
  const config = load({
    version: 1,
    admin: 'off',
    listeners: { main: { address: '127.0.0.1:8080', access: { deny: ['192.0.2.0/24'] } } },
    routes: [{ name: 'a', match: { path: { exact: '/a' } }, forward: { cluster: 'app' } }],
    clusters: { app: { endpoints: ['127.0.0.1:1'] } },
  });
  const reasonFor = (clientIp: string) => {
    const question = { url: 'http://x/b', method: 'GET', headers: [], clientIp, listener: null };
    const found = explainOffline(config.plan, config.origins, question);
    assert(!('error' in found));
    return found.refused?.reason;
  };
  assert.deepEqual([reasonFor('192.0.2.1'), reasonFor('198.51.100.1')], ['access_denied', 'no_route']);
});

test('a route under maintenance says so with the line that has switched it on, and lets the allowed clients pass', () => {
  const loaded = load({
    version: 1,
    listeners: { main: { address: '127.0.0.1:8080' } },
    routes: [{ name: 'all', maintenance: { allow: ['10.0.0.0/8'] }, forward: { cluster: 'app' } }],
    clusters: { app: { endpoints: ['127.0.0.1:1'] } },
  });
  const refused = (clientIp: string) => {
    const question = { url: 'http://app.test/', method: 'GET', headers: [], clientIp, listener: null };
    const found = explainOffline(loaded.plan, loaded.origins, question);
    assert(!('error' in found));
    return found.refused;
  };
  assert.deepEqual(refused('127.0.0.1'), {
    reason: 'maintenance',
    status: 503,
    detail: null,
    origin: 'test.yaml:11:22',
  });
  assert.equal(refused('10.1.1.1'), null);
});
