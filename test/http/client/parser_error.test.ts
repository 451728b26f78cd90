// What Node's parser refuses becomes a failure with the reason of a request; what says nothing of a request becomes none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parserFailure } from '../../../src/http/client/parser_error.ts';
import { forwardTo, planOf } from '../../support/plan_builder.ts';

const { main: settings } = planOf(
  forwardTo(['127.0.0.1:1'], { listener: { timeouts: { head: '7s' }, limits: { headBytes: '2KiB' } } }),
).listeners;

test('a head that is late or too large is refused with the limit that it broke', () => {
  assert(settings !== undefined);
  assert.deepEqual(parserFailure({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }, settings), {
    kind: 'client_timeout',
    timer: 'head',
    afterMs: 7_000,
  });
  assert.deepEqual(parserFailure({ code: 'HPE_HEADER_OVERFLOW' }, settings), {
    kind: 'head_too_large',
    limit: 2_048,
    unit: 'bytes',
  });
});

test('bytes that are no request are a bad request that says what was wrong with them', () => {
  assert(settings !== undefined);
  for (const [code, detail] of [
    ['HPE_INVALID_METHOD', /invalid_method/],
    ['HPE_INVALID_CONTENT_LENGTH', /invalid_content_length/],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', /chunk extensions/],
  ] as const) {
    const failure = parserFailure({ code }, settings);
    assert(failure?.kind === 'bad_request');
    assert.match(failure.detail, detail);
  }
});

test("a client that leaves in the middle of a request is gone, which is nobody's bad request", () => {
  assert(settings !== undefined);
  assert.deepEqual(parserFailure({ code: 'HPE_INVALID_EOF_STATE' }, settings), {
    kind: 'client_gone',
    phase: 'request',
  });
});

test('a connection that breaks between requests is no failure of a request', () => {
  assert(settings !== undefined);
  for (const code of ['ECONNRESET', 'EPIPE', undefined])
    assert.equal(parserFailure(code === undefined ? {} : { code }, settings), null);
});
