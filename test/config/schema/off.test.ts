import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { orOff } from '../../../src/config/schema/off.ts';
import { messagesOf } from '../config_text.ts';

test('off is the same as absent, and the description stays for the reference', () => {
  const schema = orOff(z.strictObject({ a: z.number() }).meta({ description: 'A block.' }));
  assert.equal(schema.parse('off'), undefined);
  assert.equal(schema.parse(undefined), undefined);
  assert.deepEqual(schema.parse({ a: 1 }), { a: 1 });
  const json = z.toJSONSchema(schema, { io: 'input' });
  assert.match(JSON.stringify(json), /A block\./);
});

test('a mistake inside the block is told as before, and its keys are known', () => {
  assert.deepEqual(
    messagesOf({ clusters: '{ app: { endpoints: [a:1], circuitBreaker: { opneFor: 5s } } }' }),
    ['unknown key "opneFor" in clusters.app.circuitBreaker'],
  );
  assert.deepEqual(messagesOf({ clusters: '{ app: { endpoints: [a:1], tls: true } }' }), [
    'clusters.app.tls: expected off or a mapping (key: value), found true',
  ]);
});
