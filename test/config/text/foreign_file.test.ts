import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { formatMessage } from '../../../src/config/problems.ts';
import { foreignFileHint } from '../../../src/config/text/foreign_file.ts';
import { problemsOf, textOf } from '../config_text.ts';

const FILES: readonly (readonly [of: string, source: string])[] = [
  ['nginx', 'server {\n  listen 80;\n  location / { proxy_pass http://127.0.0.1:3000; }\n}\n'],
  ['nginx', 'events { }\nhttp {\n  upstream app { server 127.0.0.1:3000; }\n}\n'],
  ['Caddy', 'example.com {\n\treverse_proxy localhost:3000\n}\n'],
  ['Caddy', ':8080 {\n  respond "hello: world"\n}\n'],
  ['HAProxy', 'frontend web\n  bind *:80\n  default_backend app\nbackend app\n  server a 127.0.0.1:80\n'],
  ['Traefik, in TOML', '[http.routers]\n  [http.routers.a]\n    rule = "Host(`a`)"\n'],
];

test('the file of another proxy is recognised, in one message', () => {
  for (const [of, source] of FILES) {
    const problems = problemsOf(source).map(formatMessage);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.ok(problems[0]?.includes(`this looks like a configuration of ${of};`), `${of}: ${problems[0]}`);
    const page = /docs\/coming-from-[a-z]+\.md/.exec(problems[0] ?? '')?.[0] ?? 'no page';
    assert.ok(existsSync(page), page);
  }
});

test('a file of ours is not', () => {
  assert.equal(foreignFileHint(textOf({})), undefined);
  assert.equal(foreignFileHint('version: 1\nlisteners:\n  server: { address: a:1; }\n'), undefined);
  assert.doesNotMatch(problemsOf('version: 1\nroutes: [\n').map(formatMessage).join(), /looks like/);
});
