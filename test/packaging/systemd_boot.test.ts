// The units of examples/deploy under a real systemd, booted in namespaces of its own: hardening, notifications, watchdog,
// sockets. Skipped where the machine does not permit it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as certificates from '../support/certificates.ts';
import { needs } from '../support/programs.ts';
import { ROOT } from '../support/proxy_under_test.ts';
import { installRelease } from '../support/release.ts';

const NOT_PERMITTED = 77;
const SUPPORT = join(ROOT, 'test/support/systemd');
const DEPLOY = join(ROOT, 'examples/deploy');

const folder = mkdtempSync(join(tmpdir(), 'fairlead-systemd-'));
after(() => rmSync(folder, { recursive: true }));

const CONFIG = `version: 1
admin: { address: 127.0.0.1:9901 }
process: { reload: { watch: false } }
listeners:
  web: { address: fd:http }
  secure:
    address: fd:https
    tls: { certificates: [{ certFile: server.crt, keyFile: server.key }] }
routes:
  - name: all
    match: { path: { prefix: / } }
    respond: { status: 200, body: "ok" }
`;

function prepare(): void {
  installRelease(join(folder, 'release'));
  mkdirSync(join(folder, 'etc'), { recursive: true });
  writeFileSync(join(folder, 'etc/fairlead.yaml'), CONFIG);
  cpSync(certificates.server.certFile, join(folder, 'etc/server.crt'));
  cpSync(certificates.server.keyFile, join(folder, 'etc/server.key'));
  chmodSync(join(folder, 'etc/server.key'), 0o644); // the user of DynamicUser owns no file
  const units = join(folder, 'units');
  const put = (unit: string, text: string) => {
    mkdirSync(join(units, unit, '..'), { recursive: true });
    writeFileSync(join(units, unit), text);
  };
  const service = readFileSync(join(DEPLOY, 'fairlead.service'), 'utf8');
  put('fairlead.service', service);
  for (const socket of ['fairlead.socket', 'fairlead-https.socket'])
    put(socket, readFileSync(join(DEPLOY, socket), 'utf8'));
  const dropIn = readFileSync(join(DEPLOY, 'drop-in/socket-activation.conf'), 'utf8');
  put('fairlead.service.d/socket-activation.conf', dropIn);
  // Nothing of the machine's own boot is pulled in.
  for (const unit of ['fairlead.service', 'fairlead.socket', 'fairlead-https.socket'])
    put(`${unit}.d/sandbox.conf`, '[Unit]\nDefaultDependencies=no\n');
  put('network-online.target', '[Unit]\nDescription=Online\nDefaultDependencies=no\n');
  put('scenario.target', '[Unit]\nDescription=Test\nDefaultDependencies=no\nWants=scenario.service\n');
  put(
    'scenario.service',
    `[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash ${SUPPORT}/scenario.sh ${folder}
StandardOutput=file:${folder}/said
StandardError=inherit
TimeoutStartSec=infinity
ExecStopPost=/usr/bin/systemctl exit --force
`,
  );
  cpSync(join(SUPPORT, 'client.py'), join(folder, 'client.py'));
}

test(
  'under systemd it starts hardened, reloads, keeps its sockets over restarts, and is restarted when it hangs',
  needs('unshare', 'python3', 'systemd-analyze'),
  context => {
    prepare();
    const boot = spawnSync('sh', [join(SUPPORT, 'boot.sh'), folder, process.execPath], { encoding: 'utf8' });
    if (boot.status === NOT_PERMITTED) {
      context.skip(boot.stderr.trim());
      return;
    }
    assert.equal(boot.status, 0, boot.stderr);
    const said = readFileSync(join(folder, 'said'), 'utf8');
    const facts = new Map(
      said.split('\n').map(line => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
    );
    const is = (name: string, pattern: RegExp) =>
      assert.match(facts.get(name) ?? '', pattern, `${name} in\n${said}`);

    is('start', /^0$/);
    is('state', /^running serving on (?=.*:80\b)(?=.*:443\b)/);
    is('user', /^not root$/);
    is('capabilities', /^0+$/); // the ports are bound by systemd
    is('seccomp', /^2$/); // a filter is in force
    const { 'HTTP/1.1 200 OK': answered = 0, ...others } = JSON.parse(facts.get('client') ?? '{}');
    assert.deepEqual(others, {}, 'no connection is refused or reset while the service is restarted twice');
    assert.ok(answered > 10, said);
    is('bad', /^running reload failed: .*listners.*; still running the previous plan$/);
    is('good', /^running serving plan [0-9a-f]{12}$/);
    is('watched', /^running restarts 0$/);
    is('hung', /^running restarts 1$/);
    is('stop', /^success 0$/);
    is('wrong', /^failed 78 restarts [01]$/); // a configuration that is wrong is not tried again and again
  },
);
