// A listener on a descriptor that somebody else has bound, as a service manager does, and one on IPv6.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { echo } from '../support/backend_behaviours.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { LogLines } from '../support/log_lines.ts';
import { configText, forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { closedPort, startBackend } from '../support/scripted_backend.ts';

checkLeaks();

// Binds, puts the socket in place of descriptor 3, and becomes the proxy: the process id stays the same.
const ACTIVATE = `
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(sys.argv[1])))
s.listen(16)
os.set_inheritable(3, True) if s.fileno() == 3 else os.dup2(s.fileno(), 3, inheritable=True)
env = {**os.environ, 'LISTEN_FDS': '1', 'LISTEN_FDNAMES': 'web', 'LISTEN_PID': str(os.getpid())}
os.execve(sys.argv[2], sys.argv[2:], env)
`;

test('a listener takes the descriptor of its name from socket activation', needs('python3'), async () => {
  const backend = await startBackend(echo());
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-activation-'));
  const file = join(folder, 'fairlead.yaml');
  writeFileSync(file, configText(forwardTo([backend.address], { listener: { address: 'fd:web' } })));
  const port = await closedPort();
  const command = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(ROOT, 'src/main.ts'),
    'run',
    '--config',
    file,
  ];
  const child = spawn(program('python3'), ['-c', ACTIVATE, String(port), ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = new LogLines();
  child.stdout.on('data', chunk => lines.take(String(chunk)));
  child.once('close', code => lines.end(`it ended with ${code}`));
  await lines.next({ event: 'phase_changed', to: 'serving' });
  assert.equal((await fetchRaw({ port }, '/')).status, 200);
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  await lines.next({ event: 'phase_changed', to: 'stopped' });
  await backend.close();
  rmSync(folder, { recursive: true });
});

test('a listener and a backend on IPv6', async () => {
  const backend = await startBackend(echo());
  const front = await startProxy(forwardTo([backend.address], { listener: { address: '[::1]:0' } }));
  const { port } = front.target();
  const back = await startProxy(forwardTo([`[::1]:${port}`]));
  const got = await fetchRaw(back.target(), '/through-two');
  assert.equal(got.status, 200);
  assert.match(
    got.text,
    /"127\.0\.0\.1, ::1"|"::1"/,
    'the second proxy trusts nobody, so it names its own peer',
  );
  await back.stop();
  await front.stop();
  await backend.close();
});
