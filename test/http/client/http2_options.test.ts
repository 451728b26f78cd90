import assert from 'node:assert/strict';
import { test } from 'node:test';
import { http2ServerOptions } from '../../../src/http/client/http2_options.ts';
import type { ListenerSettings } from '../../../src/http/listener_settings.ts';
import { loadedFrom } from '../../config/config_text.ts';

function optionsOf(listener: string) {
  const { plan } = loadedFrom({ listeners: `{ main: ${listener} }` });
  return http2ServerOptions(plan.listeners['main'] as ListenerSettings);
}

test('a session has memory for all the streams that it is offered, and room for a burst above their number', () => {
  const few = optionsOf('{ address: 127.0.0.1:0, h2c: true, http2: { maxConcurrentStreams: 1 } }');
  const many = optionsOf('{ address: 127.0.0.1:0, h2c: true, http2: { maxConcurrentStreams: 1000 } }');
  assert.equal(few.settings?.maxConcurrentStreams, 1);
  assert.equal(few.maxSessionMemory, 10, 'the default of Node is the least');
  assert((many.maxSessionMemory ?? 0) * 1_000_000 >= 1_000 * 32 * 1_024, 'a head for each stream');
  assert.equal(many.maxSessionRejectedStreams, 4_000);
  assert.deepEqual([few.streamResetBurst, many.streamResetBurst], [2, 2_000]);
});

test('a head a little above the limits is read, so that it is refused with a response', () => {
  const { settings, maxHeaderListPairs } = optionsOf(
    '{ address: 127.0.0.1:0, limits: { headBytes: 8KiB, headerCount: 500 } }',
  );
  assert.equal(settings?.maxHeaderListSize, 16_384);
  assert.equal(maxHeaderListPairs, 1_000);
});
