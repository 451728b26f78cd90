import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHOICES, NUMBERS } from '../../../src/config/schema/defaults.ts';
import { configSchema, schemaJson } from '../../../src/config/schema/schema.ts';

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

test('every mapping is strict', () => {
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties, additionalProperties } = schema as {
      properties?: unknown;
      additionalProperties?: unknown;
    };
    if (properties !== undefined) assert.equal(additionalProperties, false, path);
    for (const [key, inner] of Object.entries(schema)) visit(inner, `${path}.${key}`);
  };
  visit(schemaJson(), 'schema');
});

test('what is absent stays absent: the compiler writes defaults', () => {
  assert.deepEqual(configSchema.parse({ ...minimal, process: {} }), { ...minimal, process: {} });
});

test('there is only version 1', () => {
  for (const version of [0, 2, '1', null]) assert.equal(problems({ ...minimal, version }).length, 1);
});

test('what could grow is bounded', () => {
  const routes = Array.from({ length: 20_001 }, (_, at) => ({ name: `r${at}`, respond: { status: 200 } }));
  assert.deepEqual(problems({ ...minimal, routes }), ['too_big routes']);
});

test('the JSON Schema tells an editor the default, the bounds and the reason of everything that can be written', () => {
  const schema = schemaJson() as { title: string; $schema: string };
  assert.equal(schema.title, 'Fairlead configuration');
  assert.match(schema.$schema, /2020-12/);
  const text = JSON.stringify(schema);
  const settings = [...Object.entries(NUMBERS), ...Object.entries(CHOICES)].filter(
    ([id]) => !id.includes('.windows.'),
  );
  for (const [id, { why }] of settings) assert.ok(text.includes(JSON.stringify(why).slice(1, -1)), id);
  assert.ok(text.includes('"default":"4s"') && text.includes('100ms to 1h'));
  assert.ok(!/[^\\]"undefined"/.test(text));
});

test('the logging and the admin API can be switched off', () => {
  assert.deepEqual(problems({ ...minimal, admin: 'off', logging: { access: 'off' } }), []);
  assert.deepEqual(problems({ ...minimal, admin: { address: 'off' } }), []);
  assert.deepEqual(problems({ ...minimal, admin: 'on' }), ['invalid_union admin']);
});
