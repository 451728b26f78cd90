// Phase 0: from an empty machine to something that runs, and files that are understood or refused with a reason.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { ROOT } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';

checkLeaks();

const FAIRLEAD = ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/main.ts')];

test('every example is valid, without a warning', () => {
  const examples = readdirSync(join(ROOT, 'examples')).filter(name => name.endsWith('.yaml'));
  assert.ok(examples.length > 0);
  const env = { ...process.env, TLS_DIR: join(ROOT, 'test/support/certificates') };
  for (const name of examples) {
    const args = [...FAIRLEAD, 'check', '--config', join(ROOT, 'examples', name)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
    assert.equal(status, 0, stdout + stderr);
    assert.equal(stderr, '', name);
  }
});

test('npm start serves the demo: each request that it prints is answered as it says', async t => {
  if (!(await bothPortsFree())) {
    t.skip('the ports 8080 or 9901 of this machine are in use');
    return;
  }
  const demo = spawn(process.execPath, [...FAIRLEAD, 'demo'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = await textUntil(demo, /(?=[\s\S]*Ctrl-C)[\s\S]*"serving"/);
  try {
    const proxy = { port: 8080 };
    const second = spawnSync(process.execPath, [...FAIRLEAD, 'demo'], { encoding: 'utf8' });
    assert.equal(second.status, 69);
    assert.doesNotMatch(second.stderr, /Ctrl-C/, 'the list comes only when the ports are open');
    if (process.platform === 'linux')
      assert.match(second.stderr, new RegExp(`127.0.0.1:8080: in use by .+ .pid ${demo.pid}.`));
    assert.ok(printed.includes('new WebSocket("ws://127.0.0.1:8080/fast/echo")'));
    assert.match(printed, /Change \S*examples\/demo\.yaml, .* watch it reload/);
    for (const path of ['/fast/hello', '/slow?ms=300', '/slow?ms=3000', '/flaky', '/old?a=1', '/nowhere']) {
      assert.ok(printed.includes(`'http://127.0.0.1:8080${path}'`), `${path} is on the list`);
    }
    assert.equal((await fetchRaw(proxy, '/fast/hello')).status, 200);
    assert.equal((await fetchRaw(proxy, '/slow?ms=300')).status, 200);
    const late = await fetchRaw(proxy, '/slow?ms=3000');
    assert.equal(late.status, 504);
    assert.equal(value(late.headers, 'proxy-status'), 'fairlead; error=http_response_timeout');
    for (let count = 0; count < 10; count++)
      assert.equal((await fetchRaw(proxy, '/flaky')).status, 200, 'nobody notices');
    const moved = await fetchRaw(proxy, '/old?a=1');
    assert.deepEqual([moved.status, value(moved.headers, 'location')], [308, '/fast?a=1']);
    const nowhere = await fetchRaw(proxy, '/nowhere', { headers: ['Accept', 'application/json'] });
    assert.equal(nowhere.status, 404);
    assert.equal(JSON.parse(nowhere.text).reason, 'no_route');
    assert.ok(printed.includes('/fast/break'));
    assert.equal((await fetchRaw(proxy, '/fast/break', { method: 'POST' })).status, 200);
    const broken = await fetchRaw(proxy, '/fast/hello');
    assert.equal(broken.status, 502);
    const page = await fetchRaw({ port: 9901 }, '/', { headers: ['Host', '127.0.0.1:9901'] });
    assert.match(page.text, /problems?<\/h2>[\s\S]*connect_refused/);
    assert.equal(
      (await fetchRaw({ port: 9901 }, '/readyz', { headers: ['Host', '127.0.0.1:9901'] })).status,
      200,
    );
  } finally {
    const ended = new Promise(resolve => demo.on('close', resolve));
    demo.kill('SIGINT');
    assert.equal(await ended, 0);
  }
});

async function bothPortsFree(): Promise<boolean> {
  const free = await Promise.all([8080, 9901].map(isFree));
  return free.every(Boolean);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise(resolve => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Standard output and error together, until they say this. */
function textUntil(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer) => {
      text += chunk.toString();
      if (pattern.test(text)) resolve(text);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('close', code => reject(new Error(`ended with ${code}: ${text}`)));
  });
}
