import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEvents } from 'js-yaml';
import type { Path } from '../../../src/config/text/path.ts';
import { SourcePositions } from '../../../src/config/text/source_positions.ts';

function places(source: string) {
  const found = new SourcePositions(parseEvents(source, {}), source);
  const shown = (path: Path) => {
    const place = found.find(path);
    if (place === null) return null;
    const text = (span: { start: number; end: number } | null) =>
      span === null ? null : source.slice(span.start, span.end);
    return { key: text(place.key), value: text(place.value) };
  };
  return { found, shown };
}

test('each key and value has its place, in blocks and in one line, quoted or not', () => {
  const { shown } = places('a: 1\nb:\n  - x\n  - { c: "d e", f: \'g\' }\nh: |\n  text\n');
  assert.deepEqual(shown(['a']), { key: 'a', value: '1' });
  assert.deepEqual(shown(['b', 0]), { key: null, value: 'x' });
  assert.deepEqual(shown(['b', 1, 'c']), { key: 'c', value: '"d e"' });
  assert.deepEqual(shown(['b', 1, 'f']), { key: 'f', value: "'g'" });
  assert.equal(shown(['h'])?.key, 'h');
  assert.equal(shown(['b', 2]), null);
});

test('a block that begins on a later line is shown at its key', () => {
  const { shown } = places('a:\n  b: 1\nc: { d: 2 }\n');
  assert.deepEqual(shown(['a']), { key: 'a', value: 'a' });
  assert.deepEqual(shown(['c']), { key: 'c', value: '{ d: 2 }' });
});

test('a value on one line ends at its own bracket', () => {
  const { shown } = places('a: [{ b: [] }, [1, "]"], {}] # }]\n');
  assert.equal(shown(['a'])?.value, '[{ b: [] }, [1, "]"], {}]');
  assert.equal(shown(['a', 0])?.value, '{ b: [] }');
  assert.equal(shown(['a', 0, 'b'])?.value, '[]');
  assert.equal(shown(['a', 1])?.value, '[1, "]"]');
});

test('a value that is not written is shown at its key', () => {
  assert.deepEqual(places('a:\nb: 1\n').shown(['a']), { key: 'a', value: 'a' });
});

test('what an alias brings in stands where its anchor is', () => {
  const { shown } = places('a: &x { b: [1, 2] }\nc: *x\nd: { e: *x }\n');
  assert.deepEqual(shown(['c']), { key: 'c', value: '*x' });
  assert.deepEqual(shown(['c', 'b', 1]), { key: null, value: '2' });
  assert.deepEqual(shown(['d', 'e', 'b']), { key: 'b', value: '[1, 2]' });
});

test('an anchor of the same name is the last one before', () => {
  const { shown } = places('a: &x { b: 1 }\nc: *x\nd: &x { b: 2 }\ne: *x\n');
  assert.equal(shown(['c', 'b'])?.value, '1');
  assert.equal(shown(['e', 'b'])?.value, '2');
});

test('all duplicate keys are found, also those that only look different', () => {
  const { found } = places('a: 1\n"a": 2\nb: { c: 1, c: 2, c: 3 }\n1: x\n1.0: y\n~: x\nnull: y\n"1": z\n');
  assert.deepEqual(
    found.duplicates.map(({ path }) => path.join('.')),
    ['a', 'b.c', 'b.c', '1', 'null', '1'],
  );
});

test('a key that would be a prototype is noticed wherever it stands', () => {
  assert.deepEqual(places('a:\n  - __proto__: 1\n').found.prototypes, [['a', 0, '__proto__']]);
});
