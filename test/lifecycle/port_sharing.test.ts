import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PortSharing } from '../../src/lifecycle/port_sharing.ts';
import { forwardTo, planOf } from '../support/plan_builder.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-sysctl-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'tcp_migrate_req');

const shared = planOf(forwardTo(['127.0.0.1:1'], { listener: { reusePort: true } }));
const own = planOf(forwardTo(['127.0.0.1:1']));

/** The warnings with this setting of the kernel; null: it has none. */
function warnings(setting: string | null, ...plans: readonly (typeof own)[]): string[] {
  rmSync(file, { force: true });
  if (setting !== null) writeFileSync(file, setting);
  const messages: string[] = [];
  const ports = new PortSharing(message => void messages.push(message), file);
  for (const plan of plans) ports.apply(plan);
  return messages;
}

test('a shared port whose waiting connections may be lost gives one warning, with the setting of the kernel to change', () => {
  const messages = warnings('0\n', shared, shared);
  assert.equal(messages.length, 1);
  assert.match(messages[0] ?? '', /^listeners\.main: reusePort is on.*sysctl net\.ipv4\.tcp_migrate_req=1/);
});

test('an old kernel is named as the reason', () =>
  assert.match(warnings(null, shared)[0] ?? '', /Linux 5\.14 can/));

test('there is no warning where the kernel moves them, or no port is shared', () => {
  assert.deepEqual(warnings('1\n', shared), []);
  assert.deepEqual(warnings('0\n', own), []);
});

test('a reload that begins to share a port gives the warning too', () =>
  assert.equal(warnings('0\n', own, shared).length, 1));
