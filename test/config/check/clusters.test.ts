import { test } from 'node:test';
import { assertOnly, loadedFrom } from '../config_text.ts';

const cluster = (rest: string): { clusters: string } => ({ clusters: `{ app: { ${rest} } }` });
const one = 'endpoints: [127.0.0.1:9000]';

test('an endpoint is named once, and one at least takes traffic', () => {
  assertOnly(
    cluster('endpoints: [a:1, { address: A:1, weight: 2 }], health: { active: off }'),
    /endpoint A:1 repeats endpoints\[0\]/,
  );
  assertOnly(cluster('endpoints: [{ address: a:1, weight: 0 }]'), /all weights of cluster app are 0/);
  loadedFrom(cluster('endpoints: [{ address: a:1, weight: 0 }, a:2]'));
});

test('the protocol fits to TLS', () => {
  assertOnly(cluster(`${one}, protocol: http2`), /http2 needs TLS/);
  assertOnly(cluster(`${one}, protocol: h2c, tls: {}`), /h2c is HTTP\/2 without TLS/);
  loadedFrom(cluster(`${one}, protocol: http2, tls: {}`));
  loadedFrom(cluster(`${one}, protocol: h2c`));
});

test('a client certificate has its key, a Unix socket with TLS a name', () => {
  assertOnly(cluster(`${one}, tls: { certFile: a.crt }`), /certFile of cluster app needs keyFile/);
  assertOnly(cluster(`${one}, tls: { keyFile: a.key }`), /keyFile of cluster app needs certFile/);
  assertOnly(cluster('endpoints: ["unix:/run/a.sock"], tls: {}'), /add tls.serverName/);
  loadedFrom(cluster('endpoints: ["unix:/run/a.sock"], tls: { serverName: a.example }'));
});

test('an active check knows what to ask', () => {
  assertOnly(cluster(`${one}, health: { active: { interval: 5s } }`), /needs a path, or tcp: true/);
  assertOnly(
    cluster(`${one}, health: { active: { path: /h, tcp: true } }`),
    /has tcp and path, which cannot be combined/,
  );
  assertOnly(cluster(`${one}, health: { active: { tcp: true, expect: 200 } }`), /has tcp and expect/);
  loadedFrom(cluster(`${one}, health: { active: { tcp: true } }`));
});
