import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BufferedDestination } from '../../src/observability/log_destination.ts';
import { FakeClock } from '../support/fake_clock.ts';

async function inFile(
  use: (
    file: string,
    destination: BufferedDestination,
    clock: FakeClock,
    dropped: () => number,
  ) => Promise<void> | void,
): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  const file = join(folder, 'log');
  const clock = new FakeClock();
  let drops = 0;
  await use(file, new BufferedDestination({ file }, clock, () => drops++), clock, () => drops);
  fs.rmSync(folder, { recursive: true });
}

test('what was written is there after a flush, in order, also long lines and other alphabets', () =>
  inFile(async (file, destination, _clock, dropped) => {
    const lines = ['a', 'ü'.repeat(10), 'x'.repeat(100_000), '終'];
    for (const line of lines) destination.write(`${line}\n`);
    await destination.flush();
    assert.equal(fs.readFileSync(file, 'utf8'), `${lines.join('\n')}\n`);
    assert.equal(dropped(), 0);
  }));

test('after the file was moved away lines go to a new one', () =>
  inFile(async (file, destination) => {
    destination.write('before\n');
    await destination.flush();
    fs.renameSync(file, `${file}.1`);
    destination.reopen();
    destination.write('after\n');
    await destination.flush();
    assert.equal(fs.readFileSync(file, 'utf8'), 'after\n');
    assert.equal(fs.readFileSync(`${file}.1`, 'utf8'), 'before\n');
  }));

test('a reader that does not read costs lines, which are counted, and never more memory than the bound', () =>
  inFile(async (_file, destination, _clock, dropped) => {
    const line = `${'x'.repeat(60_000)}\n`;
    for (let count = 0; count < 1_000; count++) destination.write(line); // 60 MB in one turn: no write can have ended
    assert.ok(dropped() > 500, `${dropped()} of 1000 lines were dropped`);
  }));

/** A pipe that is written and read in this process; nothing is read unless the test asks. */
async function withPipe(
  use: (pipe: {
    destination: BufferedDestination;
    clock: FakeClock;
    read: () => string;
    dropped: () => number;
    closeReader: () => void;
  }) => Promise<void>,
): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;
  const reader = fs.openSync(path, O_RDONLY | O_NONBLOCK);
  const fd = fs.openSync(path, O_WRONLY | O_NONBLOCK);
  let readerOpen = true;
  const closeReader = () => {
    if (readerOpen) fs.closeSync(reader);
    readerOpen = false;
  };
  const clock = new FakeClock();
  let drops = 0;
  const chunk = Buffer.alloc(1024 * 1024);
  await use({
    destination: new BufferedDestination({ fd }, clock, () => drops++),
    clock,
    dropped: () => drops,
    closeReader,
    read: () => {
      try {
        return chunk.toString('utf8', 0, fs.readSync(reader, chunk));
      } catch {
        return ''; // nothing there now
      }
    },
  });
  closeReader();
  fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
}

const turn = () => new Promise(resolve => setImmediate(resolve));
/** Turns the loop until it holds: writes end in the thread pool. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `${at} ${'x'.repeat(1_000)}\n`);

test('a pipe that is read late gets every line once, whole and in order', () =>
  withPipe(async ({ destination, clock, read, dropped }) => {
    const lines = numbered(1_000); // 1 MB: many times what the pipe holds
    for (const line of lines) destination.write(line);
    let text = '';
    const all = lines.join('');
    await until(() => {
      clock.advance(100);
      text += read();
      return text.length >= all.length;
    });
    assert.equal(text, all);
    assert.equal(dropped(), 0);
    assert.equal(clock.pendingTimers, 0);
  }));

test('a pipe that nobody reads does not hold up the end, and each lost line is counted', () =>
  withPipe(async ({ destination, clock, read, dropped }) => {
    const lines = numbered(500);
    for (const line of lines) destination.write(line);
    clock.advance(100);
    await until(() => clock.pendingTimers === 1); // the pipe is full: one retry is planned
    await destination.flush();
    assert.equal(clock.pendingTimers, 0);
    const arrived = read().split('\n').length - 1;
    assert.ok(arrived > 0, 'what fits in a pipe has arrived');
    assert.equal(arrived + dropped(), lines.length);
  }));

test('a reader that went away costs each line that it did not get, and nothing else', () =>
  withPipe(async ({ destination, clock, dropped, closeReader }) => {
    closeReader();
    for (const line of numbered(200)) destination.write(line);
    clock.advance(100);
    await until(() => dropped() === 200);
    destination.write('one more\n');
    await destination.flush();
    assert.equal(dropped(), 201);
  }));

test('a file that cannot be opened again is written on', () =>
  inFile(async (file, destination) => {
    destination.write('before\n');
    await destination.flush();
    fs.renameSync(file, `${file}.1`);
    fs.mkdirSync(file); // in the way
    destination.reopen();
    destination.write('after\n');
    await destination.flush();
    assert.equal(fs.readFileSync(`${file}.1`, 'utf8'), 'before\nafter\n');
  }));

test('a file is changed between two writes, not under one', async () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  const file = join(folder, 'log');
  const clock = new FakeClock();
  const destination = new BufferedDestination({ file }, clock, () => {});
  destination.write('before\n');
  clock.advance(100); // the thread pool has it now
  fs.renameSync(file, `${file}.1`);
  destination.reopen();
  await until(() => fs.existsSync(file));
  destination.write('after\n');
  await destination.flush();
  assert.equal(fs.readFileSync(`${file}.1`, 'utf8'), 'before\n');
  assert.equal(fs.readFileSync(file, 'utf8'), 'after\n');
  fs.rmSync(folder, { recursive: true });
});
