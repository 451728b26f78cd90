// Host and port are two facts, for programs that search for one of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitHost } from '../../src/observability/host_and_port.ts';

test('the port is apart from the name, whatever the name is', () => {
  for (const [authority, name, port] of [
    ['a.test', 'a.test', null],
    ['a.test:8080', 'a.test', 8080],
    ['10.0.0.1:80', '10.0.0.1', 80],
    ['[::1]', '[::1]', null],
    ['[2001:db8::80]:443', '[2001:db8::80]', 443],
    ['unix:/run/app.sock', 'unix:/run/app.sock', null],
    ['a.test:', 'a.test', null],
    ['', null, null],
  ] as const)
    assert.deepEqual(splitHost(authority), { name, port }, authority);
});
