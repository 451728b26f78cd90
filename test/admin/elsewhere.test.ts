// A request without a route: which hosts are known, and which routes would match elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findElsewhere, renderElsewhere } from '../../src/admin/elsewhere.ts';
import type { RoutableRequest } from '../../src/routing/route.ts';
import { load } from '../support/plan_builder.ts';

const forward = { cluster: 'app' };
const { plan } = load({
  version: 1,
  admin: 'off',
  listeners: {
    public: { address: '127.0.0.1:8080' },
    private: { address: '127.0.0.1:9000' },
    idle: { address: '127.0.0.1:9001' },
  },
  routes: [
    {
      name: 'api',
      listeners: ['public'],
      match: { hosts: ['api.example.com', '*.eu.example.com'], path: { prefix: '/v1' }, methods: ['GET'] },
      forward,
    },
    { name: 'www', listeners: ['public'], match: { hosts: ['www.example.com'] }, forward },
    { name: 'admin', listeners: ['private'], match: { path: { prefix: '/admin' } }, forward },
  ],
  clusters: { app: { endpoints: ['127.0.0.1:1'] } },
});

function request(matchHost: string, matchPath: string, method = 'GET'): RoutableRequest {
  return { method, matchHost, matchPath, query: '', headers: [], authority: matchHost };
}
const find = (host: string, path: string, method = 'GET') =>
  findElsewhere(plan, 'public', request(host, path, method));
const render = (host: string, path: string, method = 'GET') =>
  renderElsewhere(find(host, path, method), 'public');

test('a host that no route is for is told with the known ones, the one that was meant, and routes that would match', () => {
  assert.deepEqual(render('api.exmaple.com', '/v1/x'), [
    'no route of listener public is for the host api.exmaple.com',
    'known hosts: *.eu.example.com, api.example.com, www.example.com; did you mean api.example.com?',
    'route api would match for the host api.example.com, *.eu.example.com',
    'route www would match for the host www.example.com',
  ]);
  assert.deepEqual(
    find('api.exmaple.com', '/v1/x', 'POST').otherHosts.map(({ route }) => route),
    ['www'],
    'the method must match too',
  );
});

test('a route of another listener is named, with the listener and its address', () => {
  assert.deepEqual(find('api.example.com', '/admin/x').otherListeners, [
    { listener: 'private', address: '127.0.0.1:9000', route: 'admin' },
  ]);
  assert(
    render('api.example.com', '/admin/x').includes(
      'route admin would match on listener private (127.0.0.1:9000)',
    ),
  );
});

test('a host that is known is not said to be unknown, also by a wildcard', () => {
  for (const host of ['api.example.com', 'a.eu.example.com']) {
    assert.equal(find(host, '/other').hostKnown, true, host);
    assert.doesNotMatch(render(host, '/other').join('\n'), /known hosts/);
  }
  assert.equal(find('eu.example.com', '/other').hostKnown, false, 'a wildcard is not for the domain itself');
});

test('a listener without routes says so, and a request without host is told as one', () => {
  const idle = findElsewhere(plan, 'idle', request('x.test', '/x'));
  assert.deepEqual(renderElsewhere(idle, 'idle'), ['no route is served on listener idle']);
  assert.equal(render('', '/zz')[0], 'no route of listener public is for a request without host');
});

test('of many hosts and routes the first ten are listed and the rest counted', () => {
  const many = load({
    version: 1,
    admin: 'off',
    listeners: { public: { address: '127.0.0.1:8080' } },
    routes: Array.from({ length: 30 }, (_, at) => ({
      name: `r${at}`,
      match: { hosts: [`h${String(at).padStart(2, '0')}.test`] },
      forward,
    })),
    clusters: { app: { endpoints: ['127.0.0.1:1'] } },
  }).plan;
  const found = findElsewhere(many, 'public', request('unknown.example', '/'));
  assert.deepEqual([found.hosts.length, found.hostsTotal, found.otherHosts.length], [10, 30, 10]);
  const lines = renderElsewhere(found, 'public');
  assert.match(lines[1] ?? '', /^known hosts: h00\.test, .*h09\.test and 20 more$/);
});
