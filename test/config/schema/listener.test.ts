import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenerSchema } from '../../../src/config/schema/listener.ts';

const accepts = (rest: object): boolean =>
  listenerSchema.safeParse({ address: '127.0.0.1:80', ...rest }).success;

test('a listener needs an address, and nothing else', () => {
  assert.ok(accepts({}));
  assert.ok(!listenerSchema.safeParse({}).success);
  for (const address of ['[::]:443', 'unix:/run/a', 'fd:http', 'localhost:0'])
    assert.ok(accepts({ address }), address);
});

test('units are resolved and off is null', () => {
  const { limits, timeouts } = listenerSchema.parse({
    address: 'fd:3',
    limits: { headBytes: '16KiB', bodyBytes: 'off' },
    timeouts: { head: '2s' },
  });
  assert.deepEqual([limits, timeouts], [{ headBytes: 16_384, bodyBytes: null }, { head: 2_000 }]);
});

test('HTTP/2 is a switch, or settings', () => {
  for (const http2 of [true, false, 'true', {}, { maxConcurrentStreams: 1 }])
    assert.ok(accepts({ http2 }), JSON.stringify(http2));
  for (const http2 of ['maybe', 5, [], { maxConcurrentStreams: 0 }, { streams: 1 }])
    assert.ok(!accepts({ http2 }), JSON.stringify(http2));
});

test('a certificate has two files', () => {
  assert.ok(accepts({ tls: { certificates: [{ certFile: 'a', keyFile: 'b' }] } }));
  for (const certificates of [[], [{ certFile: 'a' }], [{ certFile: '', keyFile: 'b' }], 'a'])
    assert.ok(!accepts({ tls: { certificates } }));
  assert.ok(!accepts({ tls: {} }));
});

test('a path for health is a path', () => {
  assert.ok(accepts({ healthPath: '/-/ready' }));
  for (const healthPath of ['ready', '/a?b', '/a b', '']) assert.ok(!accepts({ healthPath }), healthPath);
});
