import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  barePortProblem,
  endpointAddressProblem,
  listenAddressProblem,
  withHost,
} from '../../../src/config/schema/address_problem.ts';
import { assertOnly, loadedFrom } from '../config_text.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: variables of the configuration
const BACKEND = '${BACKEND}:3000';

test('an endpoint that is written like elsewhere gets the line to write', () => {
  const cases: readonly (readonly [text: string, says: string])[] = [
    ['http://h:80', 'it has no scheme; write h:80'],
    ['http://h', 'it has no scheme; write h:80'],
    ['https://h', 'it has no scheme; write h:443, and tls: {} in the cluster'],
    ['https://h:8443', 'it has no scheme; write h:8443, and tls: {} in the cluster'],
    ['h2c://h:50051', 'it has no scheme; write h:50051, and protocol: h2c in the cluster'],
    ['http://h:80/', 'it has no scheme; write h:80'],
    [
      'http://h:80/api',
      'it has no scheme; write h:80; a path belongs in the route, as rewrite: { addPrefix: /api }',
    ],
    ['h:80/api', 'it has no path; write h:80; a path belongs in the route, as rewrite: { addPrefix: /api }'],
    ['h:80/', 'it has no path; write h:80'],
    ['$BACKEND:3000', `a variable is written \${NAME}; write "${BACKEND}"`],
    ['exa$mple:80', `a variable is written \${NAME}; write "exa\${mple}:80"`],
    [':3000', 'the host is missing; write 127.0.0.1:3000 if the backend is on this machine'],
    ['3000', 'the host is missing; write 127.0.0.1:3000 if the backend is on this machine'],
    ['h', 'the port is missing; write h:80'],
    ['h:', 'the port is missing; write h:80'],
    ['10.0.0.1', 'the port is missing; write 10.0.0.1:80'],
    ['[::1]', 'the port is missing; write "[::1]:80"'],
    ['::1', 'the port is missing, and IPv6 needs brackets; write "[::1]:80"'],
    ['fe80::1:80', 'IPv6 needs brackets; write "[fe80::1]:80"'],
    ['h:http', 'the port must be a number; write h:80'],
    ['h:grapes', 'the port must be a number'],
    ['*.x:80', '* stands for no host; name each backend'],
    ['/run/app.sock', 'a Unix socket is written unix:/run/app.sock'],
    ['h:80,g:80', 'it must be one address; write each as its own item of the list'],
    ['h:80 weight=3', 'write { address: "h:80", weight: 3 }'],
    ['h :80', 'it contains a space; write h:80'],
    [
      '10.0.0.300:80',
      '"10.0.0.300" is not an IPv4 address; write four numbers from 0 to 255 without leading zeros',
    ],
    ['10.0.0:80', '"10.0.0" is not an IPv4 address; write four numbers from 0 to 255 without leading zeros'],
    ['h:99999', 'port 99999 is above 65535'],
    ['a b c', 'expected host:port, [IPv6]:port, unix:PATH or fd:NAME'],
  ];
  for (const [text, says] of cases)
    assert.equal(endpointAddressProblem(text), `"${text}" is not an address: ${says}`);
  for (const good of ['h:80', '10.0.0.1:80', '[::1]:80', 'unix:/run/x', 'a_b.c-d:1'])
    assert.equal(endpointAddressProblem(good), null, good);
  assert.match(endpointAddressProblem('fd:3') ?? '', /for listeners only/);
  assert.match(endpointAddressProblem('h:0') ?? '', /from 1 to 65535/);
});

test('so does an address to listen on', () => {
  const cases: readonly (readonly [text: string, says: string])[] = [
    ['8080', 'write ":8080" for every address of this machine, or 127.0.0.1:8080 for this machine only'],
    ['*:80', 'write ":80" for every address'],
    ['*.a:80', 'it cannot contain *'],
    ['localhost', 'the port is missing; write localhost:80'],
    ['[::]', 'the port is missing; write "[::]:80"'],
    [':https', 'the port must be a number; write ":443"'],
    [':99999', 'port 99999 is above 65535'],
    [
      'https://0.0.0.0',
      'it has no scheme; write 0.0.0.0:443, and tls: { certFile: FILE, keyFile: FILE } in the listener',
    ],
  ];
  for (const [text, says] of cases)
    assert.equal(listenAddressProblem(text), `"${text}" is not an address: ${says}`);
  for (const good of [':8080', ':0', '0.0.0.0:80', '[::]:80', 'fd:3', 'unix:/run/x'])
    assert.equal(listenAddressProblem(good), null, good);
  assert.equal(barePortProblem(8080, 'listener'), `8080 is not an address: ${cases[0]?.[1]}`);
});

test('a port alone listens on every address, IPv6 and IPv4, in the same plan', () => {
  const [short, long] = ['":8080"', '"[::]:8080"'].map(
    address => loadedFrom({ listeners: `{ main: { address: ${address} } }` }).plan,
  );
  assert.deepEqual(short?.listeners.main?.address, { kind: 'tcp', host: '::', port: 8080 });
  assert.equal(short?.digest, long?.digest);
  assert.equal(withHost('127.0.0.1:1'), '127.0.0.1:1');
});

test('for the admin API every address means other machines too, which needs a token', () => {
  assertOnly(
    { top: 'admin: { address: ":9901" }' },
    /^the admin API at :9901 is reachable from other machines but has no token/,
  );
  const { plan } = loadedFrom({ top: 'admin: { address: ":9901", token: 0123456789abcdef-x }' });
  assert.deepEqual(plan.admin.address, { kind: 'tcp', host: '::', port: 9901 });
});

test('a listener on a port alone collides with another one on that port', () => {
  assertOnly(
    { listeners: '{ a: { address: ":8080" }, b: { address: 127.0.0.1:8080 } }' },
    /^listener b has the same address as listener a/,
  );
});
