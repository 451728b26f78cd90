import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AdminClient, AdminUnreachable, findAdmin } from '../../src/cli/admin_client.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { closedPort } from '../support/scripted_backend.ts';
import { startAdmin } from './admin_server.ts';

checkLeaks();

const folder = mkdtempSync(join(tmpdir(), 'fairlead-client-'));
after(() => rmSync(folder, { recursive: true }));

const tcp = (port: number, host = '127.0.0.1') => ({ kind: 'tcp', host, port }) as const;

function unreachable(pattern: RegExp) {
  return (error: unknown) => {
    assert(error instanceof AdminUnreachable, String(error));
    assert.match(error.message, pattern);
    return true;
  };
}

test('the token goes along as Bearer, and a body as JSON; without them neither is sent', async () => {
  await using server = await startAdmin(200, { done: 'it' });
  const client = new AdminClient({ address: tcp(server.port), token: 'abc' }, 'f.yaml');
  assert.deepEqual(await client.post('/rollback', { digest: 'ab' }), { status: 200, body: { done: 'it' } });
  await new AdminClient({ address: tcp(server.port), token: null }, 'f.yaml').get('/status');
  assert.deepEqual(
    server.asked.map(({ method, url, authorization, body }) => [method, url, authorization, body]),
    [
      ['POST', '/rollback', 'Bearer abc', '{"digest":"ab"}'],
      ['GET', '/status', null, ''],
    ],
  );
});

test('an API that listens on every address is asked on this machine', async () => {
  await using server = await startAdmin(200, {});
  const client = new AdminClient({ address: tcp(server.port, '0.0.0.0'), token: null }, 'f.yaml');
  assert.equal((await client.get('/status')).status, 200);
  assert.match(server.asked[0]?.host ?? '', /^localhost:\d+$/, 'a name that the API takes for its own');
});

test('a Unix socket is asked under a name of this machine, and one that is not there says so with its path', async () => {
  const path = join(folder, 'admin.sock');
  await using server = await startAdmin(200, {}, { path });
  await new AdminClient({ address: { kind: 'unix', path }, token: null }, 'f.yaml').get('/status');
  assert.equal(server.asked[0]?.host, 'localhost');
  const absent = { kind: 'unix', path: join(folder, 'absent.sock') } as const;
  await assert.rejects(
    new AdminClient({ address: absent, token: null }, 'f.yaml').get('/status'),
    unreachable(/^no admin API at unix:.*absent\.sock \(ENOENT\); is fairlead running/),
  );
});

test('an answer that is no JSON is passed on as text', async () => {
  await using server = await startAdmin(502, '<html>');
  const client = new AdminClient({ address: tcp(server.port), token: null }, 'f.yaml');
  assert.deepEqual(await client.get('/'), { status: 502, body: '<html>' });
});

test('a wrong token is told with where it was taken from', async () => {
  await using server = await startAdmin(401, {});
  await assert.rejects(
    new AdminClient({ address: tcp(server.port), token: 'x' }, 'f.yaml').get('/'),
    unreachable(/rejected the token from admin\.token in f\.yaml$/),
  );
  process.env['FAIRLEAD_ADMIN_TOKEN'] = 'y';
  const client = findAdmin({ file: 'f.yaml', address: server.address });
  delete process.env['FAIRLEAD_ADMIN_TOKEN'];
  assert(client instanceof AdminClient);
  await assert.rejects(client.get('/'), unreachable(/rejected the token from \$FAIRLEAD_ADMIN_TOKEN$/));
  assert.equal(server.asked.at(-1)?.authorization, 'Bearer y');
});

test('nobody there, and somebody who breaks off, are told with the address and the code', async () => {
  const port = await closedPort();
  const client = new AdminClient({ address: tcp(port), token: null }, 'f.yaml');
  await assert.rejects(
    client.get('/'),
    unreachable(
      new RegExp(`^no admin API at 127\\.0\\.0\\.1:${port} \\(ECONNREFUSED\\); is fairlead running`),
    ),
  );
  const server = http.createServer((_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half', () => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const broken = new AdminClient(
    { address: tcp((server.address() as AddressInfo).port), token: null },
    'f.yaml',
  );
  await assert.rejects(broken.get('/'), unreachable(/\(ECONNRESET\)$/));
  server.close();
});

test('a process without an admin API cannot be asked, and is told how to get one', async () => {
  const client = new AdminClient({ address: null, token: null }, 'f.yaml');
  await assert.rejects(client.get('/'), unreachable(/^f\.yaml has no admin\.address; add admin:/));
});

test('a file with errors still leads to the running process by the admin address that can be read', () => {
  const file = join(folder, 'broken.yaml');
  writeFileSync(file, 'version: 1\nadmin: { address: 127.0.0.1:9911 }\nrutes: []\n');
  assert(findAdmin({ file, address: null }) instanceof AdminClient);
  assert.equal(findAdmin({ file: join(folder, 'absent.yaml'), address: null }), 66);
  assert(findAdmin({ file, address: 'http://127.0.0.1:9911/' }) instanceof AdminClient, 'as in the browser');
  assert.equal(findAdmin({ file, address: 'nonsense' }), 64, 'an address that is none is bad usage');
});
