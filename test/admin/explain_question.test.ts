// What somebody may ask, and what is refused because the explanation would be of another request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Question, readQuestion, understand } from '../../src/admin/explain_question.ts';
import * as certificates from '../support/certificates.ts';
import { load } from '../support/plan_builder.ts';

const { certFile, keyFile } = certificates.server;
const tls = { certificates: [{ certFile, keyFile }] };
const planWith = (listeners: Readonly<Record<string, unknown>>) =>
  load({
    version: 1,
    admin: 'off',
    listeners,
    routes: [{ name: 'all', match: { hosts: ['*.app.test', 'api.app.test'] }, forward: { cluster: 'app' } }],
    clusters: { app: { endpoints: ['127.0.0.1:1'] } },
  }).plan;
const plan = planWith({
  plain: { address: '127.0.0.1:8080' },
  private: { address: '127.0.0.1:9000' },
  secure: { address: '127.0.0.1:8443', tls },
});

const QUESTION: Question = {
  url: 'http://app.test/',
  method: 'GET',
  headers: [],
  clientIp: '127.0.0.1',
  listener: null,
};
const ask = (change: Partial<Question>, of = plan) => understand(of, { ...QUESTION, ...change });

function listenerOf(change: Partial<Question>, of = plan): string {
  const asked = ask(change, of);
  assert(typeof asked !== 'string', String(asked));
  return asked.listener.name;
}

function refused(change: Partial<Question>, of = plan): string {
  const asked = ask(change, of);
  assert(typeof asked === 'string', JSON.stringify(asked));
  return asked;
}

test('the listener is the one on the port of the URL, else one that speaks its scheme, or the one that is named', () => {
  assert.equal(listenerOf({ url: 'http://app.test:9000/' }), 'private');
  assert.equal(listenerOf({ url: 'https://app.test/' }), 'secure');
  assert.equal(listenerOf({ url: 'http://app.test/' }), 'plain');
  assert.equal(listenerOf({ url: 'http://app.test:80/', listener: 'private' }), 'private');
});

test('on a port that several listeners have, the address of the URL decides, then its scheme', () => {
  const several = planWith({
    one: { address: '127.0.0.1:8080' },
    other: { address: '[::1]:8080' },
    secure: { address: '127.0.0.3:8080', tls },
  });
  assert.equal(listenerOf({ url: 'http://[::1]:8080/' }, several), 'other');
  assert.equal(listenerOf({ url: 'http://app.test:8080/' }, several), 'one');
  assert.equal(listenerOf({ url: 'https://app.test:8080/' }, several), 'secure');
});

test('a port that no listener has is refused, unless a listener may have any port', () => {
  assert.equal(
    refused({ url: 'http://app.test:99/' }),
    'no listener has port 99; listeners: plain (http, 127.0.0.1:8080), private (http, 127.0.0.1:9000), secure (https, 127.0.0.1:8443). Behind a port mapping, choose one with --listener',
  );
  assert.match(
    refused({ url: 'http://app.test:80/' }),
    /no listener has port 80/,
    'also where it is typed and usual',
  );
  for (const address of ['127.0.0.1:0', 'unix:/run/x.sock', 'fd:http'])
    assert.equal(listenerOf({ url: 'http://app.test:99/' }, planWith({ any: { address } })), 'any');
});

test('https for a clear listener and http for one with TLS are refused, however the listener was found', () => {
  const noTls =
    'listener private (127.0.0.1:9000) does not speak TLS; ask for http://app.test:9000/a?b. Where a load balancer in front ends TLS, add -H "X-Forwarded-Proto: https"';
  assert.equal(refused({ url: 'https://app.test:9000/a?b' }), noTls);
  assert.match(
    refused({ url: 'https://app.test/', listener: 'plain' }),
    /listener plain .* does not speak TLS/,
  );
  assert.match(
    refused({ url: 'https://app.test/' }, planWith({ a: { address: '127.0.0.1:1' } })),
    /does not speak TLS/,
  );
  const tlsOnly =
    /^listener secure \(127\.0\.0\.1:8443\) speaks TLS only; ask for https:\/\/app\.test:8443\/$/;
  assert.match(refused({ url: 'http://app.test:8443/' }), tlsOnly);
  assert.match(refused({ url: 'http://app.test/', listener: 'secure' }), /ask for https:\/\/app\.test\//);
});

test('an unknown listener is refused with the one that was meant, and with all', () => {
  assert.match(
    refused({ listener: 'privat' }),
    /^there is no listener "privat" \(did you mean "private"\?\); listeners: plain \(http, 127\.0\.0\.1:8080\), /,
  );
  assert.match(refused({ listener: 'zzzzzzzz' }), /^there is no listener "zzzzzzzz"; listeners: /);
  assert.match(refused({ listener: 'constructor' }), /^there is no listener "constructor"/);
});

test('what is no URL of the web is answered with one that is', () => {
  const cases = {
    'app.test/x?y=1': '"app.test/x?y=1" is not a whole URL; write it like http://app.test/x?y=1',
    '/v1/x': '"/v1/x" is not a whole URL; write it like http://api.app.test/v1/x',
    '': '"" is not a whole URL; write it like http://api.app.test/',
    'http:///x': '"http:///x" names no host; write it like http://api.app.test/x',
    'ftp://app.test/': '"ftp://app.test/" does not begin with http:// or https://',
    'http://app.test:99999/':
      '"http://app.test:99999/" is not a URL: "app.test:99999" is not a host and a port',
  };
  for (const [url, message] of Object.entries(cases)) assert.equal(refused({ url }), message);
  assert.match(
    refused({ url: 'wss://app.test/chat' }),
    /ask for https:\/\/app\.test\/chat with the headers "Connection: upgrade" and "Upgrade: websocket"/,
  );
  assert.match(
    refused({ url: 'app.test/' }, planWith({ a: { address: '127.0.0.1:1', tls } })),
    /like https:\/\//,
  );
});

test('a client is an address: not a name, not a network, not an address that does not exist', () => {
  assert.match(
    refused({ clientIp: '10.0.0.300' }),
    /^client IP "10\.0\.0\.300" is not an IP address; write it like 192/,
  );
  assert.match(
    refused({ clientIp: '10.0.0.0/8' }),
    /"10\.0\.0\.0\/8" is a network; ask with one address of it, such as 10\.0\.0\.0$/,
  );
  for (const clientIp of ['', 'localhost', 'fe80::1%eth0', '1.2.3.4:80'])
    assert.match(refused({ clientIp }), /is not an IP address/);
  for (const clientIp of ['192.0.2.1', '2001:db8::1', 'unix'])
    assert.equal(listenerOf({ clientIp }), 'plain');
});

test('a header has a name, a colon and a value without control characters', () => {
  for (const header of ['x', ': y'])
    assert.equal(refused({ headers: [header] }), `the header "${header}" must be written as "name: value"`);
  assert.match(refused({ headers: ['a b: c'] }), /has no valid name: "a b"/);
  assert.match(refused({ headers: ['a: b\nc: d'] }), /the value of the header a has a control character/);
  const asked = ask({ headers: ['A:b:c', 'host: other.test'] });
  assert(typeof asked !== 'string');
  assert.deepEqual(asked.headers, ['A', 'b:c', 'host', 'other.test'], 'a Host that is given is the only one');
});

test('a method has the characters of one, and is in capitals', () => {
  assert.match(refused({ method: 'GE T' }), /^"GE T" is not a method/);
  assert.match(refused({ method: '' }), /is not a method/);
  assert.equal(refused({ method: 'post' }), '"post": methods are in capitals; did you mean POST?');
  assert.equal(listenerOf({ method: 'M-SEARCH' }), 'plain');
});

test('the path is kept as it was typed, dots and all, and not as a URL library would tidy it', () => {
  const targetOf = (url: string) => {
    const asked = ask({ url });
    assert(typeof asked !== 'string', String(asked));
    return asked.target;
  };
  assert.equal(targetOf('http://app.test/a/../b%7E?q=%20#part'), '/a/../b%7E?q=%20');
  assert.equal(targetOf('http://app.test?q=1'), '/?q=1');
});

test('a query may name one header or several, and what is left out is a GET from this machine', () => {
  assert.deepEqual(readQuestion({ url: 'http://a/', header: 'a: 1', method: ['GET', 'PUT'] }), {
    url: 'http://a/',
    method: 'GET',
    headers: ['a: 1'],
    clientIp: '127.0.0.1',
    listener: null,
  });
  assert.deepEqual(readQuestion({ header: ['a: 1', 'b: 2'] }).headers, ['a: 1', 'b: 2']);
});
