import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../../src/config/schema/schema.ts';

const minimal = { version: 1, listeners: { main: { address: '127.0.0.1:80' } }, routes: [] };

function problems(value: unknown): string[] {
  const result = configSchema.safeParse(value);
  return result.success ? [] : result.error.issues.map(({ path, code }) => `${code} ${path.join('.')}`);
}

test('the least that is needed is version, listeners and routes', () => {
  assert.deepEqual(problems(minimal), []);
  for (const key of ['version', 'listeners', 'routes']) {
    const { [key as 'version']: _, ...rest } = minimal;
    assert.equal(problems(rest).length, 1, key);
  }
});

test('an absent value stays absent: the compiler writes defaults', () => {
  assert.deepEqual(configSchema.parse({ ...minimal, process: {} }), { ...minimal, process: {} });
});

test('there is only version 1', () => {
  for (const version of [0, 2, '1', null]) assert.equal(problems({ ...minimal, version }).length, 1);
});

test('what could grow is bounded', () => {
  const routes = Array.from({ length: 20_001 }, (_, at) => ({ name: `r${at}`, respond: { status: 200 } }));
  assert.deepEqual(problems({ ...minimal, routes }), ['too_big routes']);
});

test('the logging and the admin API can be switched off', () => {
  assert.deepEqual(problems({ ...minimal, admin: 'off', logging: { access: 'off' } }), []);
  assert.deepEqual(problems({ ...minimal, admin: { address: 'off' } }), []);
  assert.deepEqual(problems({ ...minimal, admin: 'on' }), ['invalid_union admin']);
});

test('a resource has attributes with names, values and a bound', () => {
  const withResource = (resource: unknown) =>
    problems({ ...minimal, tracing: { otlp: { endpoint: 'http://c:4318', resource } } });
  assert.deepEqual(withResource({ 'service.name': 'edge', 'deployment.environment.name': '' }), []);
  assert.equal(withResource({ 'a b': 'x' }).length, 1);
  assert.equal(withResource({ a: 1 }).length, 1);
  assert.equal(withResource({ a: 'x'.repeat(4_097) }).length, 1);
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, 'x']));
  assert.deepEqual(withResource(many(128)), []);
  assert.equal(withResource(many(129)).length, 1);
});
