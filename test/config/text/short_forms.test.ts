import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueAt } from '../../../src/config/text/path.ts';
import { writtenPath } from '../../../src/config/text/short_forms.ts';
import * as certificates from '../../support/certificates.ts';
import { loadedFrom, type Parts, problemsOf, resultOf } from '../config_text.ts';

const { certFile, keyFile } = certificates.server;
const route = (text: string): Parts => ({ routes: `[{ name: all, ${text} }]` });
const listener = (text: string): Parts => ({ listeners: `{ main: { address: 127.0.0.1:8443, ${text} } }` });

test('a short form gives the plan of its long form, and the same origins', () => {
  const pairs: readonly (readonly [short: Parts, long: Parts])[] = [
    [route('forward: app'), route('forward: { cluster: app }')],
    [route('forward: app, match: { hosts: a.com }'), route('forward: app, match: { hosts: [a.com] }')],
    [route('forward: app, match: { methods: GET }'), route('forward: app, match: { methods: [GET] }')],
    [route('forward: app, listeners: main'), route('forward: app, listeners: [main]')],
    [route('forward: app, retries: { on: 503 }'), route('forward: app, retries: { on: [503] }')],
    [
      route('forward: app, access: { allow: 10.0.0.0/8, deny: 10.1.0.0/16 }'),
      route('forward: app, access: { allow: [10.0.0.0/8], deny: [10.1.0.0/16] }'),
    ],
    [
      route('forward: app, headers: { response: { remove: Server } }'),
      route('forward: app, headers: { response: { remove: [Server] } }'),
    ],
    [{ clusters: '{ app: { endpoints: h:80 } }' }, { clusters: '{ app: { endpoints: [h:80] } }' }],
    [
      listener('trustedProxies: 10.0.0.0/8, trustedHeaders: X-Forwarded-For'),
      listener('trustedProxies: [10.0.0.0/8], trustedHeaders: [X-Forwarded-For]'),
    ],
    [listener('proxyProtocol: { from: 10.0.0.0/8 }'), listener('proxyProtocol: { from: [10.0.0.0/8] }')],
    [
      listener(`tls: { certFile: ${certFile}, keyFile: ${keyFile} }`),
      listener(`tls: { certificates: [{ certFile: ${certFile}, keyFile: ${keyFile} }] }`),
    ],
    [
      { top: 'logging: { explain: { from: 10.0.0.1 }, access: { redactQuery: token } }' },
      { top: 'logging: { explain: { from: [10.0.0.1] }, access: { redactQuery: [token] } }' },
    ],
  ];
  for (const [short, long] of pairs) {
    const [a, b] = [loadedFrom(short), loadedFrom(long)];
    const what = JSON.stringify(short);
    assert.equal(a.plan.digest, b.plan.digest, what);
    // The columns differ, because the text does.
    const originsOf = ({ origins, plan }: typeof a) =>
      [...origins.ofLeaves(plan)].map(([path, origin]) => `${path} ${origin.replace(/:\d+$/, '')}`);
    assert.deepEqual(originsOf(a), originsOf(b), what);
  }
});

test('a problem in a short form is shown where it is written', () => {
  const [problem, ...others] = problemsOf(route('forward: ap'));
  assert.equal(others.length, 0);
  assert.match(problem?.message ?? '', /^route all forwards to cluster "ap", which does not exist/);
  assert.equal(problem?.path, 'routes.all.forward');
  assert.deepEqual([problem?.column, problem?.length], [32, 2]);
  const [host] = problemsOf(route('forward: app, match: { hosts: "a:80" }'));
  assert.equal(host?.path, 'routes.all.match.hosts');
  const [file] = problemsOf(listener(`tls: { certFile: missing.crt, keyFile: ${keyFile} }`));
  assert.equal(file?.path, 'listeners.main.tls.certFile');
});

test('half of a certificate, or one beside the list, is one problem', () => {
  const messages = (tls: string): string[] =>
    problemsOf(listener(`tls: ${tls}`)).map(({ message }) => message);
  assert.deepEqual(messages(`{ certFile: ${certFile} }`), [
    'the key "keyFile" is missing in listeners.main.tls',
  ]);
  assert.deepEqual(messages(`{ keyFile: ${keyFile} }`), [
    'the key "certFile" is missing in listeners.main.tls',
  ]);
  assert.deepEqual(messages('{}'), ['the key "certificates" is missing in listeners.main.tls']);
  const both = messages(`{ certFile: a, keyFile: b, certificates: [{ certFile: a, keyFile: b }] }`);
  assert.equal(both.length, 1);
  assert.match(both[0] ?? '', /stands beside certificates/);
});

test('an address is no name of a cluster', () => {
  const result = resultOf(route('forward: "http://h:80"'));
  assert(result.kind === 'invalid');
  assert.match(
    result.problems[0]?.message ?? '',
    /write forward: NAME, with clusters: \{ NAME: \{ endpoints: \[h:80\] \} \}$/,
  );
});

test('only short forms are read otherwise', () => {
  const value = { routes: [{ forward: 'a', match: { hosts: 'b' } }], other: { forward: { cluster: 'c' } } };
  const written = (...path: (string | number)[]) => writtenPath(path, inner => valueAt(value, inner));
  assert.deepEqual(written('routes', 0, 'forward', 'cluster'), ['routes', 0, 'forward']);
  assert.deepEqual(written('routes', 0, 'match', 'hosts', 0), ['routes', 0, 'match', 'hosts']);
  assert.deepEqual(written('other', 'forward', 'cluster'), ['other', 'forward', 'cluster']);
  assert.deepEqual(written('routes', 1, 'match', 'hosts', 0), ['routes', 1, 'match', 'hosts', 0]);
});
