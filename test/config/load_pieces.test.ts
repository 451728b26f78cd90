import assert from 'node:assert/strict';
import { test } from 'node:test';
import { piecesOf, ReceivedPieces } from '../../src/config/load_pieces.ts';
import { loadedFrom } from './config_text.ts';

test('a large plan travels in pieces of at most a hundred routes, and arrives whole', () => {
  const routes = Array.from(
    { length: 250 },
    (_, at) => `{ name: r${at}, match: { path: { exact: /p${at} } }, respond: { status: 204 } }`,
  );
  const loaded = loadedFrom({ routes: `[${routes.join(', ')}]` });
  const received = new ReceivedPieces();
  const sizes: number[] = [];
  for (const piece of piecesOf(loaded)) {
    if (piece.kind === 'routes') sizes.push(piece.routes.length);
    if (piece.kind === 'origins') assert(piece.origins.length <= 1_000);
    received.add(structuredClone(piece));
  }
  assert.deepEqual(sizes, [100, 100, 50]);
  assert.deepEqual(received.result, loaded);
});

test('nothing is a result before its first piece has come', () => {
  assert.throws(() => new ReceivedPieces().result, /first piece/);
});
