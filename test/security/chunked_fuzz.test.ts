// Goal: a chunked body reaches the backend as it was sent, or not at all. Method: bodies cut at random, with extensions, zeros
// and trailers, some of them broken by a random edit, through a real proxy; what a decoder by the letter of RFC 9112 section 7.1
// makes of the bytes is held against what a recording backend got.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { decodeChunked } from '../support/chunked_decoder.ts';
import { chance, FUZZ_SEED, rounds } from '../support/fuzz.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw } from '../support/raw_client.ts';
import { startRecordingBackend } from '../support/recording_backend.ts';

checkLeaks();

const ROUNDS = 100;
const { below, oneOf, some, once } = chance();

const DATA = [
  'a',
  'hello',
  '\r\n',
  '0\r\n\r\n',
  '\x00',
  '\xff',
  '5\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  '\n',
  '\r',
];
const EXTENSIONS = ['', '', '', ';a', ';a=b', ';a="b c"', ';a="\\""', ';a;b;c', ' ;a', '; a', ';a = b'];
const TRAILERS = ['', '', 'X: y\r\n', 'A: b\r\nC: d\r\n', 'Host: x\r\n', 'Expires: 0\r\n'];
const EDITS = [
  '',
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '0',
  '5',
  'f',
  'x',
  '+',
  '-',
  ';',
  '"',
  '\x00',
  '\x0b',
  '0x',
  ':',
];

function randomChunks(): string {
  const chunks = some(5, () => {
    const data = some(6, () => oneOf(DATA)) || 'z';
    const size = data.length.toString(16);
    const written = once(4) ? size.toUpperCase() : size;
    return `${'0'.repeat(below(4))}${written}${oneOf(EXTENSIONS)}\r\n${data}\r\n`;
  });
  return `${chunks}${'0'.repeat(1 + below(3))}${oneOf(EXTENSIONS)}\r\n${oneOf(TRAILERS)}\r\n`;
}

/** Some characters become another text, somewhere. */
function broken(text: string): string {
  const at = below(text.length);
  return text.slice(0, at) + oneOf(EDITS) + text.slice(at + below(3));
}

test(`a chunked body reaches the backend as it was sent, or not at all (seed ${FUZZ_SEED})`, async () => {
  await using backend = await startRecordingBackend();
  await using proxy = await startProxy(
    forwardTo([backend.address], {
      cluster: { pool: { connections: 1 } },
      route: { retries: { attempts: 0 } },
    }),
  );
  const met = { whole: 0, refused: 0 };
  for (const round of rounds(ROUNDS)) {
    const bytes = once(2) ? broken(randomChunks()) : randomChunks();
    const context = `seed ${FUZZ_SEED}, round ${round}: ${JSON.stringify(bytes)}`;
    const before = backend.requests.length;
    const target = `/fuzz/${round}`;
    using client = await connectRaw(proxy.target());
    await client.send(`POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (let at = 0; at < bytes.length; ) {
      const size = once(3) ? 1 + below(8) : bytes.length;
      await client.send(bytes.slice(at, at + size));
      at += size;
      if (once(4)) await turn(); // so that not all of it comes in one packet
    }
    const decoded = decodeChunked(Buffer.from(bytes, 'latin1'));
    if (decoded === null) client.finish(); // half a body would be waited for
    const status = decoded === null ? null : (await client.answer()).status;
    // Over the same connection to the backend: what has reached it of the body is there by now.
    const other = `/other/${round}`;
    assert.equal((await fetchRaw(proxy.target(), other)).text, other, context);
    const seen = backend.requests.slice(before).filter(request => request.target !== other);
    if (seen.length === 0) {
      met.refused++;
      assert.notEqual(status, 200, context);
      assert(decoded === null || bytes.length > decoded.bytes || isUnusual(bytes), `refused: ${context}`);
    } else {
      met.whole++;
      assert(decoded !== null, `taken: ${context}`);
      assert.deepEqual([seen.length, seen[0]?.target], [1, target], context);
      assert.equal(seen[0]?.body.toString('latin1'), decoded.body.toString('latin1'), context);
    }
    assert.deepEqual(backend.violations, [], context);
  }
  assert(met.whole > 0 && met.refused > 0, JSON.stringify(met));
});

/** By the letter a body, and yet refused by the parser: extensions with spaces, and trailers that an edit has bent. */
function isUnusual(bytes: string): boolean {
  return /[ \t]|;|"|:/.test(bytes);
}
