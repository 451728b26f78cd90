// docs/security.md names tests that exist, and settings with the defaults that hold.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CHOICES,
  type ChoiceSetting,
  NUMBERS,
  type NumberSetting,
} from '../../src/config/schema/defaults.ts';
import { formatByteRate, formatDuration, formatSize } from '../../src/config/units.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
const settings: Readonly<Record<string, NumberSetting | ChoiceSetting>> = { ...NUMBERS, ...CHOICES };
const FORMATS = {
  ms: formatDuration,
  bytes: formatSize,
  bytesPerSecond: formatByteRate,
  count: String,
  ratio: String,
};

function shown(setting: NumberSetting | ChoiceSetting): string {
  if (!('unit' in setting)) return String(setting.value);
  return setting.value === null ? 'off' : FORMATS[setting.unit](setting.value);
}

test('each test and each page that is named exists', () => {
  const named = page.match(/\b(?:test|docs)\/[\w/]+\.(?:test\.ts|md)/g) ?? [];
  assert.ok(named.length > 40);
  for (const path of named) assert.ok(existsSync(join(ROOT, path)), path);
});

test('each setting of a row has the default that the row gives', () => {
  const rows = page.split('\n').filter(line => line.startsWith('| ') && !line.startsWith('| attack'));
  let compared = 0;
  for (const row of rows) {
    const [, attack = '', stops = '', given = ''] = row.split('|').map(cell => cell.trim());
    const ids = [...stops.matchAll(/`((?:process|listeners|routes|clusters|stores)\.[\w.]+)`/g)].map(
      ([, id = '']) => id,
    );
    if (ids.length === 0) continue;
    for (const id of ids) assert.ok(id in settings, `${attack}: ${id}`);
    const defaults = ids.map(id => shown(settings[id] as NumberSetting)).join(', ');
    assert.equal(given, defaults, attack);
    compared += ids.length;
  }
  assert.ok(compared > 25, `${compared}`);
});

test('how to report is told where people look for it', () => {
  const report = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
  for (const title of [
    'Reporting a vulnerability',
    'Supported versions',
    'What is a vulnerability',
    'What is not',
  ])
    assert.ok(report.includes(`\n## ${title}\n`), title);
});
