/** `fairlead proxy` as a process: real traffic without a file, and a reload that says why there is none. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { LogLines } from '../support/log_lines.ts';
import { ROOT } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { configFile } from './config_file.ts';
import { runCommand } from './run_command.ts';

test('options alone make a proxy that serves; SIGHUP says that there is no file, SIGTERM drains', async () => {
  const backend = createServer((request, response) => response.end(`seen ${request.url}`));
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve));
  const to = `127.0.0.1:${(backend.address() as AddressInfo).port}`;
  const args = [
    '--disable-warning=ExperimentalWarning',
    join(ROOT, 'src/main.ts'),
    'proxy',
    '--from',
    '127.0.0.1:0',
  ];
  const proxy = spawn(process.execPath, [...args, '--to', to], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = new LogLines();
  createInterface(proxy.stdout).on('line', line => lines.take(`${line}\n`));
  const [banner] = (await once(createInterface(proxy.stderr), 'line')) as [string];
  assert.match(banner, new RegExp(`^fairlead: http://127\\.0\\.0\\.1:\\d+ -> ${to}; add --admin`));
  const port = Number(/:(\d+) ->/.exec(banner)?.[1]);
  assert.equal((await fetchRaw({ port }, '/a?b')).text, 'seen /a?b');
  proxy.kill('SIGHUP');
  const reload = await lines.next({ event: 'reload' });
  assert.equal(reload['result'], 'rejected');
  assert.match(JSON.stringify(reload['problems']), /there is no configuration file to reload.*--print/);
  assert.equal((await fetchRaw({ port }, '/c')).status, 200, 'it goes on');
  proxy.kill('SIGTERM');
  assert.deepEqual(await once(proxy, 'exit'), [0, null]);
  lines.end('the proxy has ended');
  backend.close();
});

test('--print prints a file that passes check, and opens no port', async () => {
  const { code, out, err } = await runCommand([
    'proxy',
    '--to',
    'https://app.test',
    '--to',
    'https://b.test',
    '--print',
  ]);
  assert.deepEqual([code, err], [0, '']);
  const checked = await runCommand(['check', '--config', configFile('printed.yaml', out)]);
  assert.deepEqual([checked.code, checked.err], [0, '']);
});

test('bad input is usage, names the option and says what to write', async () => {
  const { code, err } = await runCommand(['proxy', '--from', '22', '--to', '10.0.0.300:80']);
  assert.equal(code, 64);
  assert.match(err, /^fairlead: --from 22: "22" is not an address: write ":22" for every address/m);
  assert.match(
    err,
    /^fairlead: --to 10\.0\.0\.300:80: "10\.0\.0\.300:80" is not an address: .* not an IPv4 address/m,
  );
});

test('advice is in options and not in keys of a file that is not there', async () => {
  const words = ['--from', 'https://:443', '--to', '127.0.0.1:1,127.0.0.1:2'];
  const { err } = await runCommand(['proxy', ...words]);
  assert.match(err, /^fairlead: --from .*, and --cert FILE and --key FILE$/m);
  assert.match(err, /^fairlead: --to .*must be one address; write a --to for each$/m);
  const open = await runCommand(['proxy', '--from', ':0', '--to', '127.0.0.1:1', '--admin', ':9901']);
  assert.match(open.err, /has no token; use 127\.0\.0\.1:PORT or unix:PATH, or a file with admin\.token$/m);
});
