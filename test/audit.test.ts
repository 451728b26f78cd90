// What the audit of the dependencies makes of the replies that npm can give.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { judgeAudit } from '../scripts/audit.ts';

const report = (vulnerabilities: Record<string, number>) =>
  JSON.stringify({
    vulnerabilities: { 'a-package': {} },
    metadata: {
      vulnerabilities: { info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 1, ...vulnerabilities },
    },
  });

test('a high or critical finding fails and is named, a lesser one is only told', () => {
  for (const severity of ['high', 'critical']) {
    const { failed, message } = judgeAudit(report({ [severity]: 1 }));
    assert.deepEqual([failed, message], [true, `dependencies audited: 1 ${severity}: a-package`]);
  }
  assert.deepEqual(judgeAudit(report({ moderate: 2, low: 1 })), {
    failed: false,
    message: 'dependencies audited: 1 low, 2 moderate',
  });
  assert.match(judgeAudit(report({ total: 0 })).message, /no known vulnerability$/);
});

test('where nobody can be asked it says so, and does not fail', () => {
  const refused = JSON.stringify({ message: '405 Method Not Allowed', statusCode: 405 });
  assert.deepEqual(judgeAudit(refused), { failed: false, message: 'NOT AUDITED: 405 Method Not Allowed' });
  for (const stdout of ['', 'null', 'npm is not there'])
    assert.deepEqual(judgeAudit(stdout), { failed: false, message: 'NOT AUDITED: npm audit gave no report' });
});

test('the check of a clean clone audits the dependencies before it runs the tests', () => {
  const script = readFileSync(new URL('../.ci/run', import.meta.url), 'utf8');
  assert.match(script, /\nnpm ci\nnpm run --silent audit:dependencies\n/);
});
