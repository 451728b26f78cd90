// An explanation as somebody reads it at three in the morning: words and lines of the file, no JSON, no names of the plan.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainOffline } from '../../src/admin/explain.ts';
import type { Question } from '../../src/admin/explain_question.ts';
import { renderExplanation } from '../../src/admin/explain_text.ts';
import { load } from '../support/plan_builder.ts';

const { plan, origins } = load(
  `version: 1
admin: off
listeners:
  public:
    address: 127.0.0.1:8080
    timeouts: { head: 9s }
  private: { address: 127.0.0.1:9000 }
routes:
  - name: api
    listeners: [public]
    match: { hosts: [api.example.com], path: { prefix: /v1 } }
    forward: { split: [{ cluster: stable, weight: 3 }, { cluster: canary, weight: 1 }] }
    access: { allow: [127.0.0.0/8] }
  - name: moved
    listeners: [public]
    match: { hosts: [api.example.com], path: { prefix: /old } }
    redirect: { status: 301, to: "https://{host}/new{query}" }
  - name: robots
    listeners: [public]
    match: { hosts: [api.example.com], path: { exact: /robots.txt } }
    respond: { status: 200, body: "ok" }
  - name: empty
    listeners: [public]
    match: { hosts: [api.example.com], path: { exact: /empty } }
    respond: { status: 204 }
  - name: rpc
    listeners: [private]
    forward: { cluster: canary }
clusters:
  stable:
    endpoints: [127.0.0.1:1, 127.0.0.1:2]
    protocol: h2c
  canary:
    endpoints: [${Array.from({ length: 12 }, (_, at) => `127.0.0.1:${at + 10}`).join(', ')}]
`,
  'edge.yaml',
);

function linesOf(url: string, change: Partial<Question> = {}): string[] {
  const explained = explainOffline(plan, origins, {
    url,
    method: 'GET',
    headers: [],
    clientIp: '127.0.0.1',
    listener: null,
    ...change,
  });
  assert(!('error' in explained), JSON.stringify(explained));
  return renderExplanation(explained).split('\n');
}

test('route, action and settings are told with their lines, and nothing as JSON or in the words of the plan', () => {
  const lines = linesOf('http://api.example.com:8080/v1/x');
  assert.deepEqual(lines.slice(0, 8), [
    'request    GET api.example.com:8080/v1/x',
    'listener   public  (127.0.0.1:8080, edge.yaml:5)',
    'client     127.0.0.1',
    'route      api  (edge.yaml:9)',
    'action     forward to one of 2 clusters  (edge.yaml:12)',
    '           stable, 75 % of the requests: HTTP/2 without TLS to 127.0.0.1:1, 127.0.0.1:2  (edge.yaml:30)',
    `           canary, 25 % of the requests: HTTP/1.1 to ${Array.from({ length: 10 }, (_, at) => `127.0.0.1:${at + 10}`).join(', ')} and 2 more  (edge.yaml:33)`,
    'backend    GET /v1/x',
  ]);
  const text = lines.join('\n');
  assert.match(text, /^timeouts {3}listeners\.public\.timeouts\.head: 9s \(edge\.yaml:6\)$/m);
  assert.match(text, /^access {5}routes\.api\.access\.allow: 127\.0\.0\.0\/8 \(edge\.yaml:13\)$/m);
  assert.match(text, /^ {11}routes\.api\.timeouts\.responseHead: 30s \(default\)$/m);
  assert.doesNotMatch(text, /[{}]|Ms\b|Max\b|Min\b|null|undefined/);
});

test('a redirect and a response of the proxy itself are told in words', () => {
  assert(
    linesOf('http://api.example.com:8080/old?a=1').includes(
      'action     redirect with 301 to https://api.example.com/new?a=1  (edge.yaml:17)',
    ),
  );
  assert(
    linesOf('http://api.example.com:8080/robots.txt').includes(
      'action     the proxy itself responds with 200 and a body of 2 bytes  (edge.yaml:21)',
    ),
  );
  assert(
    linesOf('http://api.example.com:8080/empty').includes(
      'action     the proxy itself responds with 204 and no body  (edge.yaml:25)',
    ),
  );
});

test('one cluster is named at once', () => {
  const lines = linesOf('http://api.example.com:9000/x');
  const at = lines.indexOf('action     forward to cluster canary  (edge.yaml:28)');
  assert.match(lines[at + 1] ?? '', /^ {11}canary: HTTP\/1\.1 to 127\.0\.0\.1:10, /);
});

test('no route ends in a list of what was meant, and the command that says more', () => {
  const lines = linesOf('http://api.exmaple.com:8080/v1');
  assert.deepEqual(lines.slice(3, 9), [
    'route      none: 404 no_route',
    'elsewhere  no route of listener public is for the host api.exmaple.com',
    '           known hosts: api.example.com; did you mean api.example.com?',
    '           route api would match for the host api.example.com',
    '           route rpc would match on listener private (127.0.0.1:9000)',
    'see        fairlead explain no_route',
  ]);
});

test('a client that may not come in is told by which list, a malformed request by which rule', () => {
  const denied = linesOf('http://api.example.com:8080/v1', { clientIp: '192.0.2.1' });
  assert(denied.includes('refused    403 access_denied: by routes.api.access'));
  assert(denied.includes('see        fairlead explain access_denied'));
  const dots = linesOf('http://api.example.com:8080/a/../b');
  assert.match(dots.join('\n'), /^route {6}none: 400 bad_request: The path contains dot segments\.$/m);
  assert.doesNotMatch(dots.join('\n'), /matched as|elsewhere/);
});

test('where the URL does not decide the listener, the others are named', () => {
  const note = '           (the URL has no port; --listener NAME asks another one: public)';
  assert.equal(linesOf('http://api.example.com/v1')[2], note);
  for (const lines of [
    linesOf('http://api.example.com/v1', { listener: 'public' }),
    linesOf('http://api.example.com:8080/v1'),
  ])
    assert(!lines.includes(note));
});

test('a gRPC call to a cluster of HTTP/1.1 says what to set', () => {
  const lines = linesOf('http://api.example.com:9000/a', { headers: ['content-type: application/grpc'] });
  assert.match(
    lines.join('\n'),
    /^note {7}gRPC needs .*set protocol: h2c on cluster canary \(clusters\.canary\.protocol: /m,
  );
});
