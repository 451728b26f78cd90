/** What `fairlead run` does not load, because each costs megabytes and a part of the start (docs/performance.md, "Start"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardTo } from '../support/plan_builder.ts';
import { configFile } from './config_file.ts';
import { loadedBy } from './loaded_files.ts';

test("without the admin API no Fastify is loaded, of undici only the client, and nothing of Node's fetch", async () => {
  const loaded = await loadedBy(['run', '--config', configFile('light.yaml', forwardTo(['127.0.0.1:1']))]);
  const has = (part: string) => loaded.some(name => name.includes(part));
  for (const part of ['src/http/server.ts', 'undici/lib/dispatcher/client.js', 'NativeModule http'])
    assert.ok(has(part), `${part}: the report works`);
  for (const part of [
    '/fastify/',
    'src/admin/api.ts',
    'undici/index.js',
    'src/cli/demo.ts',
    'internal/deps/undici',
  ])
    assert.equal(has(part), false, part);
});
