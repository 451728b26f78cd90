import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grpcHint } from '../../src/admin/grpc_hint.ts';
import { load } from '../support/plan_builder.ts';

const { plan, origins } = load(
  `version: 1
admin: off
listeners: { main: { address: 127.0.0.1:8080 } }
routes: [{ name: all, forward: { cluster: written } }]
clusters:
  written:
    endpoints: [127.0.0.1:1]
    protocol: http1
  unwritten:
    endpoints: [127.0.0.1:1]
  secure:
    endpoints: [127.0.0.1:1]
    tls: { verify: false }
  right:
    endpoints: [127.0.0.1:1]
    protocol: h2c
`,
  'edge.yaml',
);
const GRPC = ['Content-Type', 'application/grpc+proto'];
const hint = (cluster: string, headers = GRPC) => grpcHint(plan, origins, [cluster], headers);

test('a gRPC call to a cluster of HTTP/1.1 says which protocol to set, on which cluster, at which line', () => {
  assert.equal(
    hint('written'),
    'gRPC needs HTTP/2 to the backend: set protocol: h2c on cluster written (clusters.written.protocol: edge.yaml:8)',
  );
  assert.match(
    hint('unwritten') ?? '',
    /\(clusters\.unwritten\.protocol: http1 by default; the cluster is at edge\.yaml:9\)$/,
  );
  assert.match(hint('secure') ?? '', /set protocol: http2 on cluster secure/);
  assert.match(grpcHint(plan, origins, ['right', 'written'], GRPC) ?? '', /on cluster written/);
});

test('nothing is said where the protocol is right, of other calls, and of gRPC-Web, which needs no HTTP/2', () => {
  assert.equal(hint('right'), null);
  assert.equal(hint('gone'), null);
  for (const type of ['application/grpc-web', 'application/grpc-web+proto', 'application/json'])
    assert.equal(hint('written', ['content-type', type]), null, type);
  assert.equal(hint('written', []), null);
  assert.notEqual(hint('written', ['content-type', 'application/grpc']), null);
});
