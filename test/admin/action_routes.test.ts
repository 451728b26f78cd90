// What is asked for by POST: bounds of each argument, and an audit line for each attempt, also one that came to nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdminActions } from '../../src/admin/admin_interfaces.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { LOCAL, viewWith, withApi } from './open_api.ts';

checkLeaks();

type Audited = Parameters<AdminActions['audit']>[0];

/** Everything that was asked of the process, and every audit line. */
async function posted(
  use: (
    post: (path: string, body?: string, headers?: readonly string[]) => Promise<[number, string]>,
  ) => Promise<void>,
  change: Partial<AdminActions> = {},
): Promise<{ readonly asked: unknown[]; readonly audit: Audited[] }> {
  const asked: unknown[] = [];
  const audit: Audited[] = [];
  const view = viewWith({
    rollback: async digest => {
      asked.push(digest);
      return { kind: 'applied', digest: 'd', changes: { total: 0, first: [] } };
    },
    setLogLevel: (level, forMs) => {
      asked.push([level, forMs]);
      return { done: 'the level is set' };
    },
    audit: entry => void audit.push(entry),
    ...change,
  });
  await withApi(view, ask =>
    use(async (path, body, headers = LOCAL) => {
      const { status, text } = await ask(path, {
        method: 'POST',
        headers,
        ...(body === undefined ? {} : { body }),
      });
      return [status, text];
    }),
  );
  return { asked, audit };
}

test('a rollback takes the beginning of a digest or none, and nothing that is no digest reaches the process', async () => {
  const { asked } = await posted(async post => {
    for (const good of ['{"digest":"0a1f"}', `{"digest":"${'f'.repeat(64)}"}`, '{}', undefined])
      assert.equal((await post('/rollback', good))[0], 200);
    for (const bad of ['"0a1"', '"0A1F"', `"${'f'.repeat(65)}"`, '7', '["0a1f"]', '"../x"'])
      assert.equal((await post('/rollback', `{"digest":${bad}}`))[0], 400, bad);
  });
  assert.deepEqual(asked, ['0a1f', 'f'.repeat(64), null, null]);
});

test('a log level holds for ten minutes, or from one second to one day', async () => {
  const { asked } = await posted(async post => {
    for (const good of ['', ',"for":"1s"', ',"for":"24h"'])
      assert.equal((await post('/log-level', `{"level":"debug"${good}}`))[0], 200);
    for (const bad of ['"999ms"', '"25h"', '"soon"', '60', 'null'])
      assert.equal((await post('/log-level', `{"level":"debug","for":${bad}}`))[0], 400, bad);
    const [status, text] = await post('/log-level', '{"level":"loud"}');
    assert.equal(status, 400);
    assert.match(text, /level must be one of .*debug/);
  });
  assert.deepEqual(asked, [
    ['debug', 600_000],
    ['debug', 1_000],
    ['debug', 86_400_000],
  ]);
});

test('a body that is no JSON object, and a key that is misspelt, are refused with what is allowed', async () => {
  const { asked } = await posted(async post => {
    assert.match((await post('/rollback', '[]')).join(' '), /^400 .*must be a JSON object, or empty/);
    assert.match((await post('/rollback', '{"digest":')).join(' '), /^400 .*the body is not JSON/);
    assert.match(
      (await post('/rollback', '{"diget":"0a1f"}')).join(' '),
      /^400 .*unknown key \\"diget\\"; known keys: digest/,
    );
  });
  assert.deepEqual(asked, [], 'a misspelt digest must not become a rollback to the previous plan');
});

test('each attempt is one audit line: what was done, what was refused and by whom, cut where a stranger wrote it', async () => {
  const { audit } = await posted(
    async post => {
      await post('/reload', undefined, [...LOCAL, 'User-Agent', 'deploy/1']);
      await post('/clusters/app/endpoints/10.0.0.9:80', '{"action":"drain"}');
      await post('/clusters/app/endpoints/10.0.0.9:80', '{"action":"stop"}');
      await post('/drain', undefined, ['Host', 'rebound.test']);
      await post(`/${'x'.repeat(5_000)}`);
    },
    {
      reload: async () => ({ kind: 'rejected', digest: 'd', problems: ['no file'] }),
      setEndpoint: () => 'cluster app has no endpoint 10.0.0.9:80',
      drain: assert.fail,
    },
  );
  assert.deepEqual(
    audit.map(({ action, result, userAgent }) => [
      action.length > 200 ? 'too long' : action,
      result,
      userAgent,
    ]),
    [
      ['reload', 'rejected', 'deploy/1'],
      ['drain app 10.0.0.9:80', 'cluster app has no endpoint 10.0.0.9:80', null],
      ['POST /clusters/app/endpoints/10.0.0.9:80', 'refused 400', null],
      ['POST /drain', 'refused 421', null],
      [`POST /${'x'.repeat(194)}`, 'refused 404', null],
    ],
  );
  assert(audit.every(({ by }) => by === '127.0.0.1'));
});

test('what could not be done is 422: a rejected reload with its problems, an endpoint that is not there with a sentence', async () => {
  await posted(
    async post => {
      const [status, text] = await post('/reload');
      assert.deepEqual(
        [status, JSON.parse(text)],
        [422, { kind: 'rejected', digest: 'd', problems: ['no file'] }],
      );
      assert.deepEqual(await post('/clusters/a/endpoints/b', '{"action":"ready"}'), [
        422,
        '{"error":"there is no b"}',
      ]);
    },
    {
      reload: async () => ({ kind: 'rejected', digest: 'd', problems: ['no file'] }),
      setEndpoint: () => 'there is no b',
    },
  );
});

const FORM = [...LOCAL, 'Content-Type', 'application/x-www-form-urlencoded'];
const PATH = '/clusters/app/endpoints/10.0.0.9:80';

test('the form of the status page asks before it drains the last endpoint; a program is believed', async () => {
  const { audit } = await posted(
    async post => {
      assert.deepEqual(await post(PATH, 'action=drain', FORM), [409, '{"error":"it is the last."}']);
      assert.equal((await post(PATH, 'action=drain&confirmed=yes', FORM))[0], 200);
      assert.equal((await post(PATH, 'action=ready', FORM))[0], 200);
      assert.equal((await post(PATH, '{"action":"drain"}', FORM))[0], 200, "curl -d '{}' declares a form");
      assert.equal((await post(PATH, 'action=stop', FORM))[0], 400);
    },
    {
      drainQuestion: () => 'it is the last.',
      setEndpoint: (cluster, endpoint, action) => ({ done: `${action} ${cluster} ${endpoint}` }),
    },
  );
  assert.deepEqual(
    audit.map(({ action, result }) => [action, result]),
    [
      ['drain app 10.0.0.9:80', 'asked to confirm'],
      ['drain app 10.0.0.9:80', 'drain app 10.0.0.9:80'],
      ['ready app 10.0.0.9:80', 'ready app 10.0.0.9:80'],
      ['drain app 10.0.0.9:80', 'drain app 10.0.0.9:80'],
      ['POST /clusters/app/endpoints/10.0.0.9:80', 'refused 400'],
    ],
  );
});

test('a browser without scripts goes back to the cluster, or is shown a page that asks', async () => {
  const browser = [...FORM, 'Accept', 'text/html,*/*'];
  await posted(
    async post => {
      const [status, page] = await post(PATH, 'action=drain', browser);
      assert.equal(status, 409);
      assert.match(page, /it is the last\.[\s\S]*name="confirmed" value="yes"/);
      assert.equal((await post(PATH, 'action=drain&confirmed=yes', browser))[0], 303);
    },
    { drainQuestion: () => 'it is the last.' },
  );
});

test('a form from another page is refused before anything is asked', async () => {
  for (const origin of ['http://evil.test', 'null'])
    await posted(
      async post => {
        assert.equal((await post(PATH, 'action=drain&confirmed=yes', [...FORM, 'Origin', origin]))[0], 403);
      },
      { setEndpoint: assert.fail, drainQuestion: assert.fail },
    );
});
