// The examples for cloud load balancers, with requests as each balancer makes them: only addresses are others. Behind each, a client
// writes into its request whatever it likes, and is still only itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import { ca } from '../support/certificates.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { proxyV2 } from '../support/proxy_headers.ts';
import { type ProxyInProcess, ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { type ScriptedBackend, startBackend } from '../support/scripted_backend.ts';

checkLeaks();
process.env['TLS_DIR'] = join(ROOT, 'test/support/certificates');

const CLIENT = '203.0.113.7';
/** What a client may write that would make somebody else of it. */
const LIES = [
  ...['Forwarded', 'for=6.6.6.6;host=evil;proto=http', 'X-Forwarded-Host', 'evil', 'X-Real-IP', '6.6.6.6'],
  ...['X-Request-Id', 'chosen-by-a-client', 'X-Request-Deadline-Ms', '0'],
  ...['X-Forwarded-Prefix', '/admin', 'X_Forwarded_For', '6.6.6.6', 'X_Forwarded_Proto', 'http'],
];

async function startExample(name: string, backend: ScriptedBackend, edits: Readonly<Record<string, string>>) {
  let text = readFileSync(join(ROOT, `examples/${name}.yaml`), 'utf8');
  const all = {
    'admin: { address: 127.0.0.1:9901 }': 'admin: { address: 127.0.0.1:0 }',
    'drain: { delay: \\d+s': 'drain: { delay: 0s',
    'address: 0.0.0.0:\\d+': 'address: 127.0.0.1:0',
    'endpoints: .*': `endpoints: [${backend.address}]`,
    'health: .*': 'health: { active: off }',
    ...edits,
  };
  for (const [from, to] of Object.entries(all)) {
    const edited = text.replaceAll(new RegExp(from, 'g'), to);
    assert.notEqual(edited, text, `examples/${name}.yaml has ${from}`);
    text = edited;
  }
  return startProxy(text);
}

/** The fields that say who the client is, as the backend gets them. */
function told(backend: ScriptedBackend) {
  const { headers = [] } = backend.requests.at(-1) ?? {};
  const names = ['for', 'proto', 'host', 'port', 'prefix'].map(name => `x-forwarded-${name}`);
  for (const name of ['x-real-ip', 'x_forwarded_for', 'x_forwarded_proto', 'x-forwarded-prefix'])
    assert.equal(value(headers, name), null, name);
  assert.doesNotMatch(headers.join(), /6\.6\.6\.6(?!,)|evil|chosen-by-a-client/, 'a lie has come through');
  return Object.fromEntries(names.map(name => [name, value(headers, name)]));
}

async function clientOf(proxy: ProxyInProcess, path: string): Promise<unknown> {
  return (await proxy.lines.next({ path }))['clientIp'];
}

test('examples/aws-alb.yaml: the last item is the client', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startExample('aws-alb', backend, { '10.0.0.0/16': '127.0.0.1' });
  const { status } = await fetchRaw(proxy.target(), '/', {
    headers: [
      ...LIES,
      'X-Forwarded-For',
      `6.6.6.6, ${CLIENT}`,
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Port',
      '443',
    ],
  });
  assert.equal(status, 200);
  assert.equal(await clientOf(proxy, '/'), CLIENT);
  assert.deepEqual(told(backend), {
    'x-forwarded-for': `6.6.6.6, ${CLIENT}, 127.0.0.1`,
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'app.test',
    'x-forwarded-port': '443',
    'x-forwarded-prefix': null,
  });
  assert.equal(value(backend.requests[0]?.headers ?? [], 'forwarded'), null);
  assert.equal((await fetchRaw(proxy.target(), '/-/ready')).status, 200);
  const elsewhere = { ...proxy.target(), localAddress: '127.0.0.2' };
  await fetchRaw(elsewhere, '/elsewhere', { headers: ['X-Forwarded-For', CLIENT] });
  assert.equal(await clientOf(proxy, '/elsewhere'), '127.0.0.2', 'who is not the balancer is not believed');
});

test('examples/gcp-alb.yaml: the last but one is the client, behind it stands the balancer', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startExample('gcp-alb', backend, {
    'preset: gcp-alb': 'trustedProxies: [127.0.0.1]\n    preset: gcp-alb',
  });
  const { status } = await fetchRaw(proxy.target(), '/', {
    headers: [...LIES, 'X-Forwarded-For', `6.6.6.6, ${CLIENT},34.1.2.3`, 'X-Forwarded-Proto', 'https'],
  });
  assert.equal(status, 200);
  assert.equal(await clientOf(proxy, '/'), CLIENT);
  assert.equal(told(backend)['x-forwarded-proto'], 'https');
  assert.equal((await fetchRaw(proxy.target(), '/-/ready')).status, 200);
  assert.equal(await clientOf(proxy, '/-/ready'), '127.0.0.1', 'a check names nobody');
});

test('examples/azure-appgw.yaml: the client comes with its port', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startExample('azure-appgw', backend, { '10.1.0.0/24': '127.0.0.1' });
  for (const [path, item, ip] of [
    ['/4', `${CLIENT}:5678`, CLIENT],
    ['/6', '[2001:db8::7]:443', '2001:db8::7'],
  ] as const) {
    const headers = [...LIES, 'X-Forwarded-For', `6.6.6.6:1, ${item}`, 'X-Forwarded-Proto', 'https'];
    assert.equal((await fetchRaw(proxy.target(), path, { headers })).status, 200);
    assert.equal(await clientOf(proxy, path), ip);
  }
});

test('examples/aws-nlb.yaml: the header of the connection is the client, and nothing in the request is', async () => {
  await using backend = await startBackend(echo());
  await using proxy = await startExample('aws-nlb', backend, { '10.0.0.0/16': '127.0.0.1' });
  const { port } = proxy.target();
  const tls = { ca, servername: 'app.test' };
  const vpcEndpoint = Buffer.from([0xea, 0, 5, 1, ...Buffer.from('vpce')]);
  const headers = [...LIES, 'X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Proto', 'http'];
  const asked = await fetchRaw({ port, tls, proxyHeader: proxyV2({ tlvs: vpcEndpoint }) }, '/', { headers });
  assert.equal(asked.status, 200);
  assert.equal(await clientOf(proxy, '/'), CLIENT);
  assert.deepEqual(told(backend), {
    'x-forwarded-for': CLIENT,
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'app.test',
    'x-forwarded-port': '443',
    'x-forwarded-prefix': null,
  });
  const local = proxyV2({ command: 0, family: 0, addresses: Buffer.alloc(0) });
  assert.equal((await fetchRaw({ port, tls, proxyHeader: local }, '/-/ready')).status, 200);
});
