import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grpcStatusOf, isGrpcCall } from '../../src/http/grpc.ts';

test('a gRPC call is one of HTTP/2 with a content type of gRPC', () => {
  const isCall = (type: string, protocol: 'HTTP/1.1' | 'HTTP/2.0' = 'HTTP/2.0') =>
    isGrpcCall({ protocol, headers: ['Content-Type', type] });
  for (const type of ['application/grpc', 'application/grpc+proto', 'Application/GRPC; charset=utf-8'])
    assert.equal(isCall(type), true, type);
  for (const type of ['application/grpc-web', 'application/json']) assert.equal(isCall(type), false, type);
  assert.equal(isCall('application/grpc', 'HTTP/1.1'), false);
  assert.equal(isGrpcCall({ protocol: 'HTTP/2.0', headers: [] }), false);
});

test('the status of a gRPC call is a number of at most three digits', () => {
  assert.deepEqual(
    ['0', '14', '1234', '-1', 'OK'].map(value => grpcStatusOf(['grpc-status', value])),
    [0, 14, null, null, null],
  );
  assert.equal(grpcStatusOf([]), null);
});
