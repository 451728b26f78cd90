// docs/load-balancers.md has the values of the presets, every cause of a refusal, and the fields that Connection cannot remove.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NUMBERS } from '../../src/config/schema/defaults.ts';
import { PRESET_NAMES, PRESETS } from '../../src/config/schema/presets.ts';
import { formatDuration } from '../../src/config/units.ts';
import { PROXY_PROTOCOL_REFUSALS } from '../../src/net/connection.ts';
import { buildHeaderEdits, buildUpstreamHeaders } from '../../src/security/headers.ts';
import { ROOT } from '../support/proxy_under_test.ts';
import { acceptedHead, forwardingFacts, rawRequest } from '../support/request_heads.ts';

const page = readFileSync(join(ROOT, 'docs/load-balancers.md'), 'utf8');
const section = (title: string) => page.split('\n## ').find(part => part.startsWith(`${title}\n`)) ?? '';
const cells = (line: string) => line.split('|').map(cell => cell.trim().replaceAll('`', ''));

test('the table of presets is the one that holds', () => {
  const lines = section('Presets')
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(cells);
  const [names = []] = lines;
  const row = (key: string) => lines.find(([, first]) => first === key) ?? [];
  for (const name of PRESET_NAMES) {
    const at = names.indexOf(name);
    assert.ok(at > 0, name);
    const { numbers, trustedProxies, trustedHeaders } = PRESETS[name];
    const idle =
      numbers['listeners.timeouts.keepAliveIdle'] ?? NUMBERS['listeners.timeouts.keepAliveIdle'].value;
    assert.equal(row('timeouts.keepAliveIdle')[at], `${(idle ?? 0) / 1_000}s`, name);
    const request = numbers['listeners.timeouts.request'];
    assert.equal(row('timeouts.request')[at], request === undefined ? '' : formatDuration(request), name);
    if ((trustedProxies ?? []).length > 0)
      assert.equal(row('trustedProxies')[at], trustedProxies?.join(', '));
    const short = trustedHeaders.map((field, index) =>
      index === 0 ? field : field.replace('X-Forwarded', ''),
    );
    assert.equal(row('trustedHeaders')[at], short.join(', ') || 'none', name);
    const example = row('example')[at] ?? '';
    assert.ok(existsSync(join(ROOT, example)), example);
    assert.match(readFileSync(join(ROOT, example), 'utf8'), new RegExp(`preset: ${name}\\b`));
  }
});

test('each cause of a refusal is in the table', () => {
  const causes = section('Connections that are refused')
    .split('\n')
    .map(line => cells(line)[1]);
  for (const cause of PROXY_PROTOCOL_REFUSALS) assert.ok(causes.includes(cause), cause);
});

test('each field that Connection is said not to remove stays', () => {
  const list = /but not ([^.]*)\./.exec(section('Fields that clients cannot use'))?.[1] ?? '';
  const names = [...list.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace('*', 'Team'));
  assert.ok(names.length > 15, list);
  for (const name of names) {
    if (/^(?:Host|Set-Cookie|Via|Forwarded|Content-Length)$/.test(name)) continue; // not a client's to send here, or set anew
    const raw = rawRequest({ headers: ['Host', 'a', 'Connection', name, name, '1'] });
    const facts = forwardingFacts({ claim: { ...forwardingFacts().claim, fields: 'all' } });
    const sent = buildUpstreamHeaders(
      acceptedHead(raw),
      facts,
      buildHeaderEdits({ remove: [], set: [], add: [] }),
    );
    assert.ok(sent.includes(name), name);
  }
});
