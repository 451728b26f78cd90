import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Materials } from '../../../src/config/compile/materials.ts';
import { parseDocument } from '../../../src/config/text/document.ts';
import { caFile, client, elsewhere, server } from '../../support/certificates.ts';

function materials(configFile = '/etc/fairlead/fairlead.yaml'): Materials {
  const { document } = parseDocument('a: { certFile: x, keyFile: y }', 'fairlead.yaml', {});
  assert(document !== null);
  return new Materials(document, configFile, {});
}

function told(of: Materials): string[] {
  return of.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test('a certificate and its key are read', () => {
  const made = materials();
  assert.deepEqual(made.readPair(server.certFile, server.keyFile, ['a']), {
    certPem: server.cert,
    keyPem: server.key,
  });
  assert.deepEqual(told(made), []);
  assert.deepEqual([...made.files.keys()], [server.certFile, server.keyFile]);
});

test('paths are relative to the configuration, and missing files are watched too', () => {
  const made = materials();
  made.readPair('tls/a.crt', '/b.key', ['a']);
  assert.deepEqual([...made.files.keys()], ['/etc/fairlead/tls/a.crt', '/b.key']);
  assert.deepEqual(told(made), [
    '1:16 a.certFile: cannot read /etc/fairlead/tls/a.crt: it does not exist',
    '1:28 a.keyFile: cannot read /b.key: it does not exist',
  ]);
});

test('a key that belongs to another certificate is found', () => {
  const made = materials();
  made.readPair(server.certFile, client.keyFile, ['a']);
  assert.match(told(made).join(), /1:28 a\.keyFile: .*client\.key is not the private key of .*server\.crt/);
});

test('files that were exchanged are found', () => {
  const made = materials();
  made.readPair(server.keyFile, server.certFile, ['a']);
  assert.match(
    told(made).join(),
    /server\.key \(for .*server\.crt\) has no PEM certificate,1:28 a\.keyFile: .*server\.crt \(for .*server\.key\) has no PEM private key/,
  );
});

test('an authority is a certificate', () => {
  const made = materials();
  assert.match(made.readAuthorities(caFile, ['a']), /BEGIN CERTIFICATE/);
  made.readAuthorities(elsewhere.keyFile, ['a']);
  assert.equal(made.problems.length, 1);
});

test('a socket whose path becomes too long is refused', () => {
  const made = materials(`/${'long/'.repeat(20)}fairlead.yaml`);
  made.address('unix:run/a.sock', ['a']);
  assert.match(told(made).join(), /at most 107 bytes/);
});

test('addresses that are no path stay', () => {
  assert.deepEqual(materials().address('a.example:80', ['a']), { kind: 'tcp', host: 'a.example', port: 80 });
  assert.deepEqual(materials().address('fd:http', ['a']), { kind: 'fd', name: 'http' });
  assert.deepEqual(materials().address('unix:\0abstract', ['a']), { kind: 'unix', path: '\0abstract' });
});

async function inFolder(
  use: (file: (name: string, content: string | Buffer, mode: number) => string) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-materials-'));
  try {
    use((name, content, mode) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      chmodSync(path, mode);
      return path;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a private key that other users may read is warned of, and one of its owner alone is not', () =>
  inFolder(file => {
    const warningsWith = (mode: number) => {
      const made = materials();
      made.readPair(server.certFile, file('a.key', server.key, mode), ['a']);
      assert.deepEqual(told(made), []);
      return made.warnings.map(({ severity, message }) => `${severity} ${message}`);
    };
    assert.deepEqual(warningsWith(0o600), []);
    assert.deepEqual(warningsWith(0o400), []);
    for (const mode of [0o644, 0o604, 0o660])
      assert.match(
        warningsWith(mode).join(),
        new RegExp(
          `^warning a\\.keyFile: .*a\\.key is secret.*\\(mode 0${mode.toString(8)}\\); run: chmod 600`,
        ),
      );
    assert.equal(
      warningsWith(0o640).length,
      process.getuid?.() === 0 ? 0 : 1,
      'a group may read a key of root',
    );
  }));

test('a key of session tickets has exactly 48 bytes', () =>
  inFolder(file => {
    const made = materials();
    const bytes = Buffer.alloc(48, 0xff);
    assert.equal(made.readTicketKey(file('good', bytes, 0o600), ['a']), bytes.toString('base64'));
    assert.deepEqual(told(made), []);
    for (const length of [0, 47, 49, 96])
      assert.equal(made.readTicketKey(file(`bad${length}`, Buffer.alloc(length), 0o600), ['a']), '');
    made.readTicketKey('/nowhere.key', ['a']);
    assert.match(
      told(made).join(),
      /(?:.*must hold exactly 48 random bytes; write it with: openssl rand){4}/,
    );
    assert.match(told(made).join(), /cannot read \/nowhere\.key: it does not exist/);
    assert.equal(made.files.size, 6, 'each is watched');
  }));
