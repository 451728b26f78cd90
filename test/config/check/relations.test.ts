import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectRelations } from '../../../src/config/check/relations.ts';
import { PartialParse } from '../../../src/config/schema/partial_parse.ts';
import { configSchema } from '../../../src/config/schema/schema.ts';
import { parseDocument } from '../../../src/config/text/document.ts';
import { textOf } from '../config_text.ts';

test('every check is asked, and what the schema has refused is not reported again', () => {
  const { document } = parseDocument(textOf({}), 'x.yaml', {});
  assert(document !== null);
  const partial = new PartialParse(structuredClone(document.value));
  partial.markLost(['clusters', 'app']);
  const problems = collectRelations(configSchema.parse(document.value), document, partial, [
    ({ report }) => report(['listeners', 'main'], 'one', { at: 'key', hint: 'why' }),
    ({ report, isLost }) => report(['routes', 0], isLost(['clusters', 'app', 'pool']) ? 'lost' : 'whole'),
    ({ report }) => report(['clusters', 'app', 'endpoints'], 'nobody hears this'),
  ]);
  assert.deepEqual(
    problems.map(({ message, path, severity }) => [message, path, severity]),
    [
      ['one', 'listeners.main', 'error'],
      ['lost', 'routes.all', 'error'],
    ],
  );
  assert.equal(problems[0]?.hint, 'why');
});
