import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readTextFile } from '../../../src/config/text/read_file.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-read-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

test('a text is read as it is, without a byte order mark', () => {
  assert.deepEqual(readTextFile(file('a', 'grüße\n'), 100), { kind: 'text', text: 'grüße\n' });
  assert.deepEqual(readTextFile(file('b', '\ufeffa'), 100), { kind: 'text', text: 'a' });
  assert.deepEqual(readTextFile(file('c', ''), 100), { kind: 'text', text: '' });
});

test('a file is read to its bound and not a byte further', () => {
  assert.equal(readTextFile(file('d', 'x'.repeat(200_000)), 200_000).kind, 'text');
  assert.deepEqual(readTextFile(file('e', Buffer.alloc(3 * 1_024 ** 2)), 1_024 ** 2), {
    kind: 'unusable',
    why: 'it is larger than 1 MiB',
  });
  assert.equal(readTextFile('/dev/zero', 1_024 ** 2).kind, 'unusable', 'an endless file ends');
});

test('a file that is not text is reported', () => {
  assert.deepEqual(readTextFile(file('f', Buffer.from([0x61, 0xff, 0xfe])), 100), {
    kind: 'unusable',
    why: 'it is not UTF-8 text',
  });
});

test('what cannot be read says why', () => {
  assert.deepEqual(readTextFile(join(folder, 'nothing'), 100), {
    kind: 'unreadable',
    why: 'it does not exist',
  });
  mkdirSync(join(folder, 'folder'));
  assert.deepEqual(readTextFile(join(folder, 'folder'), 100), {
    kind: 'unreadable',
    why: 'it is a directory',
  });
  symlinkSync('loop', join(folder, 'loop'));
  assert.deepEqual(readTextFile(join(folder, 'loop'), 100), {
    kind: 'unreadable',
    why: 'its symbolic links form a loop',
  });
  assert.equal(readTextFile(`${folder}/\0`, 100).kind, 'unreadable');
});
