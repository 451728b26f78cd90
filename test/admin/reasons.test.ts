// The texts of docs/reasons.md as the program shows them. test/docs/reasons.test.ts looks at the page itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allReasons,
  parseReasons,
  reasonList,
  reasonNamed,
  renderReason,
  unknownReason,
  wrapped,
} from '../../src/admin/reasons.ts';
import { FAILURE_RULES } from '../../src/resilience/failure.ts';

test('each kind of the failure table has a text: its facts, what it means, how to find the cause, what to change', () => {
  for (const kind of Object.keys(FAILURE_RULES)) {
    const found = reasonNamed(kind);
    assert(found !== null, `docs/reasons.md has no section "## ${kind}"`);
    for (const [part, text] of Object.entries(found))
      assert(part === 'reason' || text.length > 20, `${kind}: "${part}" is missing or too short`);
  }
  assert.equal(allReasons().length, Object.keys(FAILURE_RULES).length);
});

test('a section is read with its lines joined and its links as texts, whatever follows it', () => {
  const page =
    '# Reasons\n\nSome words.\n\n## one\n\nIt failed. Status 502.\n\n- **Means:** A\n  [page](x.md) and `code`.\n- **Find the cause:** Look\n  there.\n- **Change:** It.\n\n## two\n\nFacts.\n\n- **Means:** B.\n';
  assert.deepEqual(parseReasons(page), [
    {
      reason: 'one',
      facts: 'It failed. Status 502.',
      means: 'A page and `code`.',
      findTheCause: 'Look there.',
      change: 'It.',
    },
    { reason: 'two', facts: 'Facts.', means: 'B.', findTheCause: '', change: '' },
  ]);
});

test('a text fits a terminal, has the parts in the order in which they are needed, and says where recent ones are', () => {
  for (const reason of allReasons()) {
    const text = renderReason(reason);
    const order = [
      'What it means',
      'How to find the cause',
      `/requests?reason=${reason.reason}`,
      'What to change',
    ];
    const places = order.map(part => text.indexOf(part));
    assert(
      places.every(place => place > 0),
      `${reason.reason}: ${places}`,
    );
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
    for (const line of text.split('\n')) {
      const isOneCommand = /^ *`[^`]+`[.,;:]?$/.test(line);
      assert(line.length <= 100 || isOneCommand, `${reason.reason}: ${line}`);
    }
    assert.doesNotMatch(text, /\]\(|undefined/);
  }
});

test('lines break between words, and a longer word has its own line', () => {
  const word = 'x'.repeat(120);
  assert.equal(wrapped(`a ${word} b`, '  '), `  a\n  ${word}\n  b`);
  const full = `${'y'.repeat(49)} ${'z'.repeat(48)}`;
  assert.equal(wrapped(full, '  '), `  ${full}`, '100 characters are one line');
  assert.equal(wrapped(`${full}z`, '  ').split('\n').length, 2, 'one more is two');
});

test('a command is never broken: it is copied from one line', () => {
  const command = `\`openssl ${'x '.repeat(30)}\``;
  assert.equal(wrapped(`${'a '.repeat(30)}${command}.`, ''), `${'a '.repeat(30).trim()}\n${command}.`);
});

test('keys and commands take the names of a request, but only those that it has', () => {
  const reason = {
    reason: 'x',
    facts: 'F.',
    means: 'M.',
    findTheCause: '`curl http://ENDPOINT/`',
    change: '`listeners.*.a`, `routes.*.b`, `clusters.*.c`',
  };
  const all = renderReason(reason, { listener: 'web', route: 'api', cluster: '$&', endpoint: '[::1]:80' });
  assert.match(all, /`curl http:\/\/\[::1\]:80\/`/);
  assert.match(all, /`listeners\.web\.a`, `routes\.api\.b`, `clusters\.\$&\.c`/);
  const none = { listener: null, route: null, cluster: null, endpoint: 'unix:/run/x.sock' };
  assert.equal(renderReason(reason, none), renderReason(reason));
});

test('an unknown reason is met with the one that was meant, cut if it is long', () => {
  assert.equal(unknownReason('tls_faild'), 'unknown reason "tls_faild" (did you mean "tls_failed"?)');
  assert.equal(unknownReason('zzz'), 'unknown reason "zzz"');
  assert(unknownReason('x'.repeat(5_000)).length < 100);
  assert.equal(reasonNamed('tls_faild'), null);
  assert.equal(reasonNamed('constructor'), null);
  assert.match(reasonList(), /tls_failed/);
});
