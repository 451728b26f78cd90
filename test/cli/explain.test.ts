import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runExplain } from '../../src/cli/explain.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { captured } from './captured.ts';
import { configFile } from './config_file.ts';

const file = configFile(
  'explain.yaml',
  forwardTo(['127.0.0.1:1'], {
    route: {
      match: { path: { prefix: '/api' } },
      access: { allow: ['10.0.0.0/8'] },
      timeouts: { responseHead: 'off' },
    },
  }),
);
const ask = (url: string, json = false, clientIp = '10.0.0.1') =>
  captured(() => runExplain(file, { url, method: 'GET', headers: [], clientIp, listener: null, json }));

test('a route is code 0, no route code 1 with the status that a client would get, no URL code 64', async () => {
  assert.equal((await ask('http://a.test/api')).code, 0);
  const none = await ask('http://a.test/other');
  assert.equal(none.code, 1);
  assert.match(none.out, /^route {6}none: 404 no_route$/m);
  const bad = await ask('nonsense');
  assert.deepEqual([bad.code, bad.out], [64, '']);
});

test('a route that refuses the client is named, and so is the refusal', async () => {
  const { code, out } = await ask('http://a.test/api', false, '192.0.2.1');
  assert.equal(code, 0);
  assert.match(out, /^route {6}all {2}\(explain\.yaml:\d+\)\n/m);
  assert.match(out, /^refused {4}403 access_denied: by routes\.all\.access$/m);
});

test('the path as it is matched is shown where it differs from what was typed, and a limit that is off as off', async () => {
  assert.match(
    (await ask('http://a.test/api/%7Ex')).out,
    /^request {4}GET a\.test\/api\/%7Ex {2}\(matched as \/api\/~x\)$/m,
  );
  const { out } = await ask('http://a.test/api/x?q=1');
  assert.doesNotMatch(out, /matched as/);
  assert.match(out, /^ {11}routes\.all\.timeouts\.responseHead: off \(explain\.yaml:\d+\)$/m);
});

test('a program gets the same as JSON', async () => {
  const { out } = await ask('http://a.test/api', true);
  const { route, upstream } = JSON.parse(out);
  assert.deepEqual([route, upstream.target], ['all', '/api']);
});
