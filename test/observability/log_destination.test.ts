import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BufferedDestination } from '../../src/observability/log_destination.ts';
import { FakeClock } from '../support/fake_clock.ts';

function inFile(
  use: (file: string, destination: BufferedDestination, clock: FakeClock, dropped: () => number) => void,
): void {
  const folder = fs.mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  const file = join(folder, 'log');
  const clock = new FakeClock();
  let drops = 0;
  use(file, new BufferedDestination({ file }, clock, () => drops++), clock, () => drops);
  fs.rmSync(folder, { recursive: true });
}

test('what was written is there after a flush, in order, also long lines and other alphabets', () => {
  inFile((file, destination, _clock, dropped) => {
    const lines = ['a', 'ü'.repeat(10), 'x'.repeat(100_000), '終'];
    for (const line of lines) destination.write(`${line}\n`);
    destination.flush();
    assert.equal(fs.readFileSync(file, 'utf8'), `${lines.join('\n')}\n`);
    assert.equal(dropped(), 0);
  });
});

test('after the file was moved away lines go to a new one', () => {
  inFile((file, destination) => {
    destination.write('before\n');
    destination.flush();
    fs.renameSync(file, `${file}.1`);
    destination.reopen();
    destination.write('after\n');
    destination.flush();
    assert.equal(fs.readFileSync(file, 'utf8'), 'after\n');
    assert.equal(fs.readFileSync(`${file}.1`, 'utf8'), 'before\n');
  });
});

test('a reader that does not read costs lines, which are counted, and never more memory than the bound', () => {
  inFile((_file, destination, _clock, dropped) => {
    const line = `${'x'.repeat(60_000)}\n`;
    for (let count = 0; count < 1_000; count++) destination.write(line); // 60 MB in one turn: no write can have ended
    assert.ok(dropped() > 500, `${dropped()} of 1000 lines were dropped`);
  });
});
