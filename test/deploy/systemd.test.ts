// What examples/deploy has for systemd, as systemd reads it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfigText } from '../../src/config/loader.ts';
import { NUMBERS } from '../../src/config/schema/defaults.ts';
import * as certificates from '../support/certificates.ts';
import { configText, forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { ROOT } from '../support/proxy_under_test.ts';

const DEPLOY = join(ROOT, 'examples/deploy');
const SYSTEMD = needs('systemd-analyze');
const SERVICE = readFileSync(join(DEPLOY, 'fairlead.service'), 'utf8');
const SOCKETS = ['fairlead.socket', 'fairlead-https.socket'];
/** The least exposed is 0, an ordinary service 9.6. */
const EXPOSURE_MAX = 2;
/** Type=notify-reload came with it. */
const NOTIFY_RELOAD_SINCE = 253;

/** The units as they are installed, beside a program that is there. */
function installed(context: TestContext, ...dropIns: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-units-'));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'fairlead.service'), SERVICE.replace('/usr/bin/node', process.execPath));
  for (const socket of SOCKETS) cpSync(join(DEPLOY, socket), join(folder, socket));
  if (dropIns.length > 0) mkdirSync(join(folder, 'fairlead.service.d'));
  for (const dropIn of dropIns)
    cpSync(join(DEPLOY, 'drop-in', dropIn), join(folder, 'fairlead.service.d', dropIn));
  return folder;
}

/** What `systemd-analyze verify` has to say of the units in a folder. */
function complaints(folder: string, ...units: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(
    program('systemd-analyze'),
    ['verify', '--man=no', ...units.map(unit => join(folder, unit))],
    { encoding: 'utf8', env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } },
  );
  const lines = `${stdout}${stderr}`.split('\n').filter(line => line.includes(folder));
  if (status !== 0 && lines.length === 0) lines.push(`exit ${status}: ${stdout}${stderr}`);
  return lines;
}

function exposureOf(folder: string): number {
  const text = execFileSync(
    program('systemd-analyze'),
    ['security', '--offline=true', join(folder, 'fairlead.service')],
    { encoding: 'utf8', env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } },
  );
  return Number(/Overall exposure level for fairlead\.service: ([\d.]+)/.exec(text)?.[1]);
}

test('systemd has nothing to say against the service and the sockets', SYSTEMD, context => {
  assert.deepEqual(complaints(installed(context), 'fairlead.service', ...SOCKETS), []);
});

test('nor against the service with its sockets, and with a private key as a credential', SYSTEMD, context => {
  const folder = installed(context, 'socket-activation.conf');
  const withKey = readFileSync(join(folder, 'fairlead.service'), 'utf8').replace(
    '#LoadCredential=',
    'LoadCredential=',
  );
  assert.notEqual(withKey, SERVICE.replace('/usr/bin/node', process.execPath));
  writeFileSync(join(folder, 'fairlead.service'), withKey);
  assert.deepEqual(complaints(folder, 'fairlead.service', ...SOCKETS), []);
});

test('a unit with a mistake is complained about, so that silence means something', SYSTEMD, context => {
  const folder = installed(context);
  writeFileSync(join(folder, 'fairlead.service'), SERVICE.replace('UMask=0077', 'UMask=no'));
  assert.match(complaints(folder, 'fairlead.service').join('\n'), /fairlead\.service:\d+: Failed to parse/);
});

test(
  'the drop-in for notify-reload is understood where systemd knows it, and is the only thing unknown where not',
  SYSTEMD,
  context => {
    const version = Number(
      /systemd (\d+)/.exec(
        execFileSync(program('systemd-analyze'), ['--version'], { encoding: 'utf8' }),
      )?.[1],
    );
    const said = complaints(installed(context, 'notify-reload.conf'), 'fairlead.service');
    if (version >= NOTIFY_RELOAD_SINCE) assert.deepEqual(said, []);
    else for (const line of said) assert.match(line, /Failed to parse service type, ignoring: notify-reload/);
  },
);

test('the service is exposed no more than it must be', SYSTEMD, context => {
  for (const dropIns of [[], ['socket-activation.conf']]) {
    const exposure = exposureOf(installed(context, ...dropIns));
    assert.ok(exposure <= EXPOSURE_MAX, `${exposure} with ${dropIns}`);
  }
});

test('the times of the unit go with the defaults of the configuration', () => {
  const stopSeconds = Number(/^TimeoutStopSec=(\d+)s$/m.exec(SERVICE)?.[1]);
  const drainMs = (NUMBERS['process.drain.delay'].value ?? 0) + (NUMBERS['process.drain.timeout'].value ?? 0);
  assert.ok(stopSeconds * 1_000 > drainMs, 'systemd kills nothing that still drains');
  assert.match(SERVICE, /^Type=notify$/m);
  assert.match(SERVICE, /^WatchdogSec=\d+s$/m);
  assert.match(SERVICE, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  assert.match(SERVICE, /^RestartPreventExitStatus=78$/m);
});

test('each socket has the name that its comment tells to write into the configuration', () => {
  for (const socket of SOCKETS) {
    const text = readFileSync(join(DEPLOY, socket), 'utf8');
    const name = /^FileDescriptorName=(\w+)$/m.exec(text)?.[1];
    assert.ok(name !== undefined && text.includes(`address: fd:${name}.`), socket);
  }
});

test('a private key that comes as a credential is read where the unit says that it is', context => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-credentials-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const [, id = '', written = ''] =
    /^# keyFile: "(\$\{CREDENTIALS_DIRECTORY\}\/([\w.]+))"$/m.exec(SERVICE) ?? [];
  assert.match(SERVICE, new RegExp(`^#LoadCredential=${written}:`, 'm'));
  cpSync(certificates.server.keyFile, join(folder, written));
  const tls = { certificates: [{ certFile: certificates.server.certFile, keyFile: id }] };
  const text = configText(forwardTo(['127.0.0.1:1'], { listener: { tls } }));
  const result = loadConfigText(text, '/etc/fairlead/fairlead.yaml', { CREDENTIALS_DIRECTORY: folder });
  assert.equal(result.kind, 'loaded');
});
