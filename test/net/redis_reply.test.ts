import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCommand, type Reply, ReplyReader } from '../../src/net/redis_reply.ts';
import { seededRandom } from '../support/seeded_random.ts';

function read(...chunks: readonly string[]): { readonly replies: readonly Reply[]; readonly valid: boolean } {
  const replies: Reply[] = [];
  const reader = new ReplyReader(reply => replies.push(reply));
  let valid = true;
  for (const chunk of chunks) valid = reader.take(Buffer.from(chunk, 'latin1')) && valid;
  return { replies, valid };
}

const ALL =
  '+OK\r\n-NOSCRIPT No matching script\r\n:-7\r\n$5\r\nab\r\nc\r\n$-1\r\n*-1\r\n*2\r\n:1\r\n*1\r\n$0\r\n\r\n';
const EXPECTED: readonly Reply[] = [
  'OK',
  { error: 'NOSCRIPT No matching script' },
  -7,
  'ab\r\nc',
  null,
  null,
  [1, ['']],
];

test('replies of every kind are read', () => {
  assert.deepEqual(read(ALL), { replies: EXPECTED, valid: true });
});

test('replies are the same, however they are cut', () => {
  const random = seededRandom(20261129);
  for (let run = 0; run < 200; run++) {
    const chunks: string[] = [];
    for (let at = 0; at < ALL.length; ) {
      const length = 1 + Math.floor(random.unit() * 9);
      chunks.push(ALL.slice(at, at + length));
      at += length;
    }
    assert.deepEqual(read(...chunks), { replies: EXPECTED, valid: true }, chunks.join('|'));
  }
});

test('bytes that are not a reply are refused, and so is an endless one', () => {
  for (const bad of [
    'HTTP/1.1 400 Bad Request\r\n',
    ':x\r\n',
    '$3\r\nabcd\r\n',
    '$x\r\n',
    '*x\r\n',
    '*99999\r\n',
    '$9999999\r\n',
    `${'*1\r\n'.repeat(5)}:1\r\n`,
  ])
    assert.equal(read(bad).valid, false, bad);
  assert.equal(read('+'.repeat(70_000)).valid, false);
  assert.equal(read('$60000\r\n', 'x'.repeat(60_000)).valid, true, 'still to come');
});

test('a command is an array of its words, counted in bytes', () => {
  assert.equal(formatCommand(['GET', 'schlüssel']), '*2\r\n$3\r\nGET\r\n$10\r\nschlüssel\r\n');
});
