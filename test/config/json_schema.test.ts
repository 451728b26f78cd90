import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaJson } from '../../src/config/json_schema.ts';
import { CHOICES, NUMBERS } from '../../src/config/schema/defaults.ts';

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
