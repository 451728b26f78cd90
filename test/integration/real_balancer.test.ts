// A real HAProxy in front, which writes PROXY protocol headers of both versions, with and without TLVs, and checks its server.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { proxyV1 } from '../support/proxy_headers.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw, formatRequest } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

checkLeaks();

/** Unix sockets in front need no free port; what comes there with a header of its own (`accept-proxy`) may be anybody. */
function configuration(folder: string, port: number): string {
  const ways = {
    v1: 'send-proxy',
    v2: 'send-proxy-v2',
    tlvs: 'send-proxy-v2 proxy-v2-options crc32c,unique-id',
  };
  const proxies = Object.entries(ways).map(
    ([name, how]) => `
listen ${name}
  bind unix@${folder}/${name}.sock accept-proxy
  unique-id-format %ci:%cp
  server a 127.0.0.1:${port} ${how}`,
  );
  return `
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
${proxies.join('\n')}
listen unix
  bind unix@${folder}/unix.sock
  server a 127.0.0.1:${port} send-proxy-v2
backend checked
  option httpchk GET /-/ready
  server a 127.0.0.1:${port} send-proxy-v2 check inter 100ms
`;
}

async function startHaproxy(port: number): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-haproxy-'));
  writeFileSync(join(folder, 'haproxy.cfg'), configuration(folder, port));
  const child: ChildProcess = spawn(program('haproxy'), ['-db', '-f', join(folder, 'haproxy.cfg')], {
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  return {
    folder,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

test(
  'HAProxy tells of its clients by either version, and its checks are its own',
  needs('haproxy'),
  async () => {
    await using backend = await startBackend(answer({ body: 'hello' }));
    await using proxy = await startProxy(
      forwardTo([backend.address], {
        listener: { h2c: true, healthPath: '/-/ready', proxyProtocol: { from: ['127.0.0.1'] } },
      }),
    );
    await using haproxy = await startHaproxy(proxy.target().port);
    const check = await proxy.lines.next({ path: '/-/ready' }); // it has bound its sockets before it checks
    assert.deepEqual([check['status'], check['clientIp'], check['peerIp']], [200, '127.0.0.1', '127.0.0.1']);

    for (const name of ['v1', 'v2', 'tlvs'])
      for (const ip of ['203.0.113.7', '2001:db8::7']) {
        const target = {
          path: join(haproxy.folder, `${name}.sock`),
          proxyHeader: proxyV1(ip, 51_000, 8_443),
        };
        const path = `/${name}/${ip.includes(':') ? 'v6' : 'v4'}`;
        using client = await connectRaw(target);
        for (const round of [1, 2]) {
          await client.send(formatRequest(path));
          assert.equal((await client.answer()).text, 'hello');
          assert.equal((await proxy.lines.next({ path }, round))['clientIp'], ip, path);
        }
        const [last] = backend.requests.slice(-1);
        assert.equal(value(last?.headers ?? [], 'x-forwarded-for'), ip);
        assert.equal(value(last?.headers ?? [], 'x-forwarded-port'), '8443');
      }

    assert.equal((await fetchRaw({ path: join(haproxy.folder, 'unix.sock') }, '/unix')).text, 'hello');
    assert.equal((await proxy.lines.next({ path: '/unix' }))['clientIp'], '127.0.0.1', 'it says UNSPEC');
    assert.deepEqual(proxy.lines.find({ event: 'proxy_protocol_refused' }), []);
  },
);
