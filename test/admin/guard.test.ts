// Who may talk to the admin API, asked without a socket: names of every kind of address, tokens in both schemes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import type { AdminAddress } from '../../src/admin/admin_interfaces.ts';
import { guard } from '../../src/admin/guard.ts';

const TCP: AdminAddress = { kind: 'tcp', host: '127.0.0.1', port: 9901 };
const TOKEN = 'open:sesame';

function asking(address: AdminAddress, token: string | null) {
  const app = Fastify({ logger: false });
  guard(app, address, token);
  app.get('/livez', async () => 'alive');
  app.get('/status', async () => ({}));
  app.get('/broken', async () => {
    throw Object.assign(new Error('the disk is full'), { statusCode: 507 });
  });
  app.get('/odd', async () => {
    throw 'no error at all';
  });
  return async (headers: Record<string, string>, url = '/status') => {
    const { statusCode, headers: said, body } = await app.inject({ url, headers });
    return { status: statusCode, challenges: said['www-authenticate'], body };
  };
}

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

test('the admin API answers to the address that it listens on, an IPv6 one in brackets', async () => {
  const ask = asking({ kind: 'tcp', host: 'fd00::1', port: 9901 }, TOKEN);
  const bare = asking({ kind: 'tcp', host: 'fd00::1', port: 9901 }, null);
  assert.equal((await bare({ host: '[fd00::1]:9901' })).status, 200);
  assert.equal(
    (await bare({ host: 'LOCALHOST:1' })).status,
    200,
    'names have no case, and a tunnel its own port',
  );
  assert.equal((await bare({ host: 'rebound.test' })).status, 421);
  assert.equal((await ask({ host: 'rebound.test' })).status, 401, 'without the token nobody learns more');
});

test('with the token any name of the machine will do, and the token alone opens nothing to another origin', async () => {
  const ask = asking(TCP, TOKEN);
  const authorization = `Bearer ${TOKEN}`;
  assert.equal((await ask({ host: 'admin.internal:9901', authorization })).status, 200);
  const foreign = await ask({ host: 'admin.internal', authorization, origin: 'http://evil.test' });
  assert.equal(foreign.status, 403);
  assert.equal((await ask({ host: 'a.test:1', authorization, origin: 'http://A.test:1' })).status, 200);
  assert.equal(
    (await ask({ host: 'a.test:1', authorization, origin: 'null' })).status,
    403,
    'a sandboxed page',
  );
});

test('a token is taken as Bearer, or as the password of Basic, colons and all; a part of it is not', async () => {
  const ask = asking(TCP, TOKEN);
  const status = async (authorization: string) => (await ask({ host: 'localhost', authorization })).status;
  assert.equal(await status(`bearer ${TOKEN}`), 200, 'the scheme has no case (RFC 9110 section 11.1)');
  assert.equal(await status(basic(`anybody:${TOKEN}`)), 200);
  assert.equal(await status(basic(`:${TOKEN}`)), 200);
  for (const wrong of ['Bearer open', `Bearer ${TOKEN}x`, 'Bearer ', basic('x:sesame'), `Token ${TOKEN}`, ''])
    assert.equal(await status(wrong), 401, wrong);
  const { challenges } = await ask({ host: 'localhost' });
  assert.deepEqual(
    challenges,
    ['Bearer', 'Basic realm="fairlead", charset="UTF-8"'],
    'a browser asks a person',
  );
});

test('a probe needs neither token nor name where there is a token, and a name where there is none', async () => {
  const asked = (token: string | null) => asking(TCP, token)({ host: '10.0.0.9:9901' }, '/livez');
  assert.equal((await asked(TOKEN)).status, 200);
  assert.equal((await asked(null)).status, 421);
});

test('over a Unix socket the name does not matter, the origin does', async () => {
  const ask = asking({ kind: 'unix', path: '/run/x.sock' }, null);
  assert.equal((await ask({ host: 'whatever' })).status, 200);
  assert.equal((await ask({ host: 'whatever', origin: 'http://evil.test' })).status, 403);
});

test('an error is JSON with its own status and sentence, and what is no error is 500', async () => {
  const ask = asking(TCP, null);
  const broken = await ask({ host: 'localhost' }, '/broken');
  assert.deepEqual([broken.status, broken.body], [507, '{"error":"the disk is full"}']);
  const odd = await ask({ host: 'localhost' }, '/odd');
  assert.deepEqual([odd.status, odd.body], [500, '{"error":"unknown error"}']);
});
