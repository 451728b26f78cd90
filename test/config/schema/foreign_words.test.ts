import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage } from '../../../src/config/problems.ts';
import { foreignWord, plainWord } from '../../../src/config/schema/foreign_words.ts';
import { type Parts, problemsOf } from '../config_text.ts';

const route = (text: string): Parts => ({ routes: `[{ name: all, ${text} }]`, clusters: '{}' });
const listener = (text: string): Parts => ({ listeners: `{ main: { ${text} } }` });
const cluster = (text: string): Parts => ({ clusters: `{ app: { ${text} } }` });

/** Exactly one problem: what is missing beside the word follows from it. */
function hintOf(parts: Parts): string {
  const problems = problemsOf(parts);
  assert.equal(problems.length, 1, problems.map(formatMessage).join('\n'));
  assert.match(problems[0]?.message ?? '', /^unknown key "/);
  return problems[0]?.hint ?? '';
}

test('the words of nginx are translated', () => {
  const cases: [Parts, string][] = [
    [
      route('proxy_pass: "http://127.0.0.1:3000/"'),
      'in Fairlead this is forward: NAME, with clusters: { NAME: { endpoints: [127.0.0.1:3000] } }',
    ],
    [route('proxy_pass: app'), 'in Fairlead this is forward: app'],
    [
      route('return: "301 https://$host$request_uri"'),
      'in Fairlead this is redirect: { status: 301, to: "https://{host}{path}{query}" }',
    ],
    [route('return: "200 ok"'), 'in Fairlead this is respond: { status: 200 }'],
    [route('root: /var/www'), 'Fairlead serves no files; forward to a server that does'],
    [listener('listen: 80'), 'in Fairlead this is address: ":80"'],
    [
      listener('address: ":80", ssl_certificate: a.crt'),
      'in Fairlead this is tls: { certFile: FILE, keyFile: FILE }',
    ],
    [{ top: 'upstream: {}' }, 'in Fairlead this is clusters: { NAME: { endpoints: [HOST:PORT] } }'],
  ];
  for (const [parts, hint] of cases) assert.equal(hintOf(parts), hint);
});

test('those of Caddy, Traefik and HAProxy', () => {
  const cases: [Parts, string][] = [
    [
      route('reverse_proxy: ":3000"'),
      'in Fairlead this is forward: NAME, with clusters: { NAME: { endpoints: [127.0.0.1:3000] } }',
    ],
    [cluster('to: [":3000", ":3001"]'), 'in Fairlead this is endpoints: [127.0.0.1:3000, 127.0.0.1:3001]'],
    [
      cluster('endpoints: [a:1, b:1], lb_policy: x, health: { active: off }'),
      'in Fairlead this is loadBalancing: { policy: leastRequests }, roundRobin or random',
    ],
    [
      cluster('loadBalancer: { servers: [{ url: "http://a:80" }, { url: "http://b" }] }'),
      'in Fairlead this is endpoints: [a:80, b:80]',
    ],
    [cluster('endpoints: [{ url: "http://[::1]:80" }]'), 'in Fairlead this is address: "[::1]:80"'],
    [
      cluster('endpoints: [a:1], healthCheck: { path: /up }'),
      'in Fairlead this is health: { active: { path: /up } }',
    ],
    [listener('bind: "*:80"'), 'in Fairlead this is address: ":80"'],
    [route('default_backend: web'), 'in Fairlead this is forward: web'],
  ];
  for (const [parts, hint] of cases) assert.equal(hintOf(parts), hint);
  const resolver = hintOf(listener('address: ":80", tls: { certResolver: le }'));
  assert.match(resolver, /^Fairlead does not obtain certificates; write tls: \{ certFile/);
});

test('the top level of another file is one mistake', () => {
  assert.deepEqual(problemsOf('version: 1\nhttp:\n  routers: {}\n').map(formatMessage), [
    'unknown key "http" at the top level (in Fairlead this is listeners, routes and clusters, each at the top level)',
  ]);
});

test('a word that is ours keeps its meaning, and one of nobody has none', () => {
  assert.equal(
    foreignWord('timeout', ['clusters', 'a'], '5s')?.hint.startsWith('in Fairlead this is pool'),
    true,
  );
  assert.equal(
    foreignWord('timeout', ['routes', 0], '5s')?.hint,
    'in Fairlead this is timeouts: { request: 5s }',
  );
  assert.equal(foreignWord('colour', ['routes', 0], 'red'), null);
  assert.equal(plainWord('Proxy-Set_Header'), 'proxysetheader');
});

test('keys are translated wherever they are written', () => {
  for (const word of ['middlewares', 'proxy_set_header', 'gzip', 'client_max_body_size', 'acme', 'include'])
    for (const path of [[], ['listeners', 'a'], ['routes', 0], ['clusters', 'a']])
      assert.notEqual(foreignWord(word, path, ''), null, `${word} ${path}`);
  assert.match(hintOf(route('respond: { status: 200 }, gzip: on')), /does not compress/);
});
