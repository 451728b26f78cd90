import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { parseHtpasswd } from '../../src/security/htpasswd.ts';
import { needs, program } from '../support/programs.ts';

const HASH = '$2y$05$AbO6JwgAPxDki9oJJ2Gq7uWlWptkvDEpqlIQ6LkujLIWDRwH4JxUC';

test('users are read, comments and empty lines skipped, also with line ends of Windows', () => {
  const { users, problems } = parseHtpasswd(`# staff\r\nalice:${HASH}\r\n\r\nbob ross:${HASH}:a comment\r\n`);
  assert.deepEqual(problems, []);
  assert.deepEqual(users, [
    { name: 'alice', passwordHash: HASH },
    { name: 'bob ross', passwordHash: HASH },
  ]);
});

test('each unusable line is reported with its number and user, without its hash', () => {
  const { users, problems } = parseHtpasswd(
    ['alice', `:${HASH}`, `alice:${HASH}`, `alice:${HASH}`, 'bob:plain-password', `a\u0007b:${HASH}`].join(
      '\n',
    ),
  );
  assert.deepEqual(
    users.map(({ name }) => name),
    ['alice'],
  );
  const told = problems.map(({ line, message }) => `${line}: ${message}`);
  assert.match(told[0] ?? '', /^1: expected NAME:HASH$/);
  assert.match(told[1] ?? '', /^2: a name has 1 to 255 characters$/);
  assert.match(told[2] ?? '', /^4: user alice is already on line 3$/);
  assert.match(told[3] ?? '', /^5: user bob: the password is not hashed/);
  assert.match(told[4] ?? '', /^6: a name cannot contain control characters$/);
  assert.doesNotMatch(told.join(), /plain-password/);
});

test(
  'hashes that htpasswd writes with -B are accepted, those of its default are not',
  needs('htpasswd'),
  () => {
    const line = (...options: readonly string[]) =>
      execFileSync(program('htpasswd'), ['-n', '-b', ...options, 'alice', 'secret'], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    assert.deepEqual(parseHtpasswd(line('-B')).problems, []);
    for (const option of ['-m', '-s', '-d', '-p'])
      assert.match(parseHtpasswd(line(option)).problems[0]?.message ?? 'taken', /htpasswd -B/, option);
  },
);
