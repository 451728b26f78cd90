/**
 * What testssl.sh finds at a TLS listener of a whole proxy: nothing, not even of severity LOW, which it gives to CBC. It has
 * its own implementation of TLS, so it also tries what current versions of OpenSSL no longer offer.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answer } from '../support/backend_behaviours.ts';
import * as certificates from '../support/certificates.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs, program } from '../support/programs.ts';
import { startProxyProcess } from '../support/proxy_under_test.ts';
import { startBackend } from '../support/scripted_backend.ts';

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/** About the test certificate, not about the listener: it is valid for 100 years, and its authority publishes no revocations. */
const OF_THE_CERTIFICATE = new Set(['cert_validityPeriod', 'cert_revocation']);
/** WARN is what testssl.sh could not try because of the OpenSSL that it was given. */
const HARMLESS = new Set(['OK', 'INFO', 'WARN']);

/** Something of each part that was asked for: a run that ended early must not pass. */
const TRIED = [
  /^TLS1$/,
  /^TLS1_3$/,
  /^cipherlist_/,
  /^P?FS$/,
  /^cipher_order$/,
  /^TLS_session_ticket$/,
  /^heartbleed$/,
  /^secure_client_renego$/,
  /^LOGJAM$/,
  /^BEAST$/,
];

test('testssl.sh finds nothing weak at a listener with default settings', {
  ...needs('testssl'),
  timeout: 300_000,
}, async () => {
  await using backend = await startBackend(answer({ body: 'ok' }));
  const { certFile, keyFile } = certificates.server;
  const listener = { tls: { certificates: [{ certFile, keyFile }] }, limits: { connectionsPerIp: 'off' } };
  await using proxy = await startProxyProcess(forwardTo([backend.address], { listener }));
  const findings = await findingsAt(proxy.target().port);
  const bad = findings.filter(({ id, severity }) => !HARMLESS.has(severity) && !OF_THE_CERTIFICATE.has(id));
  assert.deepEqual(bad, []);
  for (const part of TRIED)
    assert.ok(
      findings.some(({ id }) => part.test(id)),
      `${part} was not tried`,
    );
  const of = (wanted: string) => findings.find(({ id }) => id === wanted)?.finding ?? '';
  for (const version of ['SSLv2', 'SSLv3', 'TLS1', 'TLS1_1'])
    assert.match(of(version), /not offered/, version);
  for (const version of ['TLS1_2', 'TLS1_3']) assert.match(of(version), /^offered/, version);
});

/** About 50 s on an idle core; most of it are its own processes. */
function findingsAt(port: number): Promise<readonly Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-testssl-'));
  const file = join(folder, 'findings.json');
  const what = ['--protocols', '--std', '--fs', '--server-preference', '--server-defaults', '--vulnerable'];
  const how = ['--sneaky', '--fast', '--nodns', 'min', '--ip', 'one', '--warnings', 'off', '--color', '0'];
  const files = ['--add-ca', certificates.caFile, '--jsonfile', file];
  return new Promise((resolve, reject) => {
    const args = ['--quiet', ...how, ...files, ...what, `https://localhost:${port}/`];
    execFile(program('testssl'), args, { cwd: folder }, (_, stdout, stderr) => {
      // Its exit code counts what it could not try too.
      try {
        resolve(JSON.parse(readFileSync(file, 'utf8')) as Finding[]);
      } catch (error) {
        reject(new Error(`testssl.sh has written no findings\n${stdout}\n${stderr}`, { cause: error }));
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
}
