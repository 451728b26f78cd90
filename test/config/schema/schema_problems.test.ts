import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage } from '../../../src/config/problems.ts';
import { type Parts, problemsOf, textOf } from '../config_text.ts';

/** What is underlined, and what is said about it. */
function told(parts: Parts): string[] {
  const lines = textOf(parts).split('\n');
  return problemsOf(parts).map(problem => {
    const { line, column, length } = problem;
    return `${lines[line - 1]?.slice(column - 1, column - 1 + length)} | ${formatMessage(problem)}`;
  });
}

const cluster = (rest: string): Parts => ({ clusters: `{ app: { endpoints: [a:1], ${rest} } }` });

test('an unknown key is shown at its position, with the key that was meant', () => {
  assert.deepEqual(told(cluster('poool: {}')), [
    'poool | unknown key "poool" in clusters.app (did you mean "pool"?)',
  ]);
  assert.deepEqual(told({ top: 'stroes: {}' }), [
    'stroes | unknown key "stroes" at the top level (did you mean "stores"?)',
  ]);
  assert.deepEqual(told({ top: 'colour: red' }), ['colour | unknown key "colour" at the top level']);
  assert.deepEqual(told(cluster('colour: red')), ['colour | unknown key "colour" in clusters.app']);
});

test('a misspelt key is not also called missing', () => {
  assert.deepEqual(told({ listeners: '{ main: { adress: 127.0.0.1:80 } }' }), [
    'adress | unknown key "adress" in listeners.main (did you mean "address"?)',
  ]);
});

test('a missing key is shown at what misses it', () => {
  assert.deepEqual(told({ listeners: '{ main: {} }' }), [
    'main | the key "address" is missing in listeners.main',
  ]);
  assert.deepEqual(told({ routes: '[{ name: a, forward: { split: [{ cluster: app }] } }]' }), [
    '{ cluster: app } | the key "weight" is missing in routes.a.forward.split[0]',
  ]);
});

test('a file without version is told how to begin', () => {
  const [problem] = problemsOf(textOf({}).replace('version: 1\n', ''));
  assert.equal(
    problem && formatMessage(problem),
    'the key "version" is missing at the top level (begin the file with version: 1)',
  );
});

test('an empty value is reported as empty', () => {
  assert.deepEqual(told(cluster('pool: ')), [
    'pool | clusters.app.pool: the value is missing; expected a mapping (key: value)',
  ]);
  assert.deepEqual(told(cluster('health: { active: }')), [
    'active | clusters.app.health.active: the value is missing; expected off or a mapping (key: value)',
  ]);
});

test('a number where a string is expected gets the advice to quote it', () => {
  assert.deepEqual(told({ routes: '[{ name: a, match: { query: { v: 2 } }, forward: { cluster: app } }]' }), [
    '2 | routes.a.match.query.v: expected a string, found 2; quote it: "2"',
  ]);
  assert.deepEqual(told({ clusters: '{ app: { endpoints: [8080] } }' }), [
    '8080 | clusters.app.endpoints[0]: 8080 is not an address: the host is missing; write 127.0.0.1:8080 if the backend is on this machine',
  ]);
});

test('a value of the wrong type is reported with what was found', () => {
  assert.deepEqual(told({ clusters: '[]' }), [
    '[] | clusters: expected a mapping (name: ...), found a list (write clusters: { NAME: { endpoints: [HOST:PORT] } })',
  ]);
  assert.deepEqual(told(cluster('pool: [1]')), [
    '[1] | clusters.app.pool: expected a mapping (key: value), found a list',
  ]);
  assert.deepEqual(told({ routes: '[{ name: a, listeners: {}, forward: { cluster: app } }]' }), [
    '{} | routes.a.listeners: expected a list or a string, found a mapping',
  ]);
});

test('of alternatives the one that was meant is explained', () => {
  assert.deepEqual(told(cluster('health: { passive: { ejectForr: 5s } }')), [
    'ejectForr | unknown key "ejectForr" in clusters.app.health.passive (did you mean "ejectFor"?)',
  ]);
  assert.deepEqual(told({ clusters: '{ app: { endpoints: [{ address: nowhere }] } }' }), [
    'nowhere | clusters.app.endpoints[0].address: "nowhere" is not an address: the port is missing; write nowhere:80',
  ]);
  assert.deepEqual(told(cluster('health: { passive: of }')), [
    'of | clusters.app.health.passive: expected off or a mapping (key: value), found "of" (did you mean "off"?)',
  ]);
  assert.deepEqual(
    told({ routes: '[{ name: a, match: { headers: { x-a: { regex: "(" } } }, forward: { cluster: app } }]' }),
    ['"(" | routes.a.match.headers.x-a.regex: invalid regex: missing ")"'],
  );
});

test('a choice is listed, with the nearest word', () => {
  assert.deepEqual(told({ top: 'logging: { level: warning }' }), [
    'warning | logging.level: expected debug, info, warn, error or silent',
  ]);
  assert.deepEqual(told({ top: 'logging: { level: wran }' }), [
    'wran | logging.level: expected debug, info, warn, error or silent (did you mean "warn"?)',
  ]);
});

test('a merge key is explained, not only unknown', () => {
  assert.match(
    told({ clusters: '{ app: { endpoints: [a:1], <<: { pool: {} } } }' })[0] ?? '',
    /unknown key "<<" in clusters.app \(YAML 1.2 has no merge keys/,
  );
});

test('keys that every object has are unknown like any other', () => {
  assert.deepEqual(told(cluster('toString: 1')).length, 1);
  assert.deepEqual(told({ listeners: '{ constructor: { address: 127.0.0.1:80 } }' }), [
    'constructor | listeners: the name "constructor" is reserved; choose another one',
  ]);
});
