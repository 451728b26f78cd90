// A connection that was ended for what its client did is told from one that has just broken off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutCauseOf } from '../../../src/http/client/cut_cause.ts';

function causeOf(code: string, errno?: number) {
  return cutCauseOf(Object.assign(new Error(code), { code, ...(errno === undefined ? {} : { errno }) }));
}

test('floods and broken frames have their causes, and a lost connection has none', () => {
  assert.equal(causeOf('ERR_HTTP2_ERROR', -904), 'flood');
  assert.equal(causeOf('ERR_HTTP2_ERROR', -905), 'flood');
  assert.equal(causeOf('ERR_HTTP2_ERROR', -505), 'protocol');
  assert.equal(causeOf('ERR_HTTP2_TOO_MANY_INVALID_FRAMES'), 'flood');
  assert.equal(causeOf('ECONNRESET', -104), null);
});
