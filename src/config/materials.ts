/** Files that a configuration names: read once when the plan is compiled, so that the plan is complete without them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Document, Path } from './document.ts';
import type { Problem } from './problems.ts';
import { show } from './schema_problems.ts';

const FILE_BYTES_MAX = 1_024 * 1_024;

export class Materials {
  readonly #document: Document;
  readonly #base: string;
  readonly problems: Problem[] = [];
  /** Absolute paths, for the watcher. */
  readonly files: string[] = [];

  /** `configFile` is the real path; names in it are relative to its folder. */
  constructor(document: Document, configFile: string) {
    this.#document = document;
    this.#base = dirname(resolve(configFile));
  }

  /** The text of a file; empty after a problem. */
  read(name: string, path: Path): string {
    const file = resolve(this.#base, name);
    this.files.push(file);
    try {
      const text = readFileSync(file, 'utf8');
      if (text.length <= FILE_BYTES_MAX) return text;
      this.#report(path, `${name} is larger than 1 MiB`);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const why =
        code === 'ENOENT'
          ? 'does not exist'
          : code === 'EACCES'
            ? 'may not be read by this user'
            : `cannot be read (${String(code)})`;
      this.#report(path, `${name} ${why}; paths are relative to the folder of the configuration`);
    }
    return '';
  }

  /** A certificate and its key, checked against each other. */
  readPair(certName: string, keyName: string, path: Path): { certPem: string; keyPem: string } {
    const certPem = this.read(certName, [...path, 'certFile']);
    const keyPem = this.read(keyName, [...path, 'keyFile']);
    if (certPem !== '' && keyPem !== '') this.#checkPair(certPem, keyPem, certName, keyName, path);
    return { certPem, keyPem };
  }

  #checkPair(certPem: string, keyPem: string, certName: string, keyName: string, path: Path): void {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(certPem);
    } catch {
      this.#report([...path, 'certFile'], `${certName} holds no certificate in PEM form`);
      return;
    }
    try {
      if (!certificate.checkPrivateKey(createPrivateKey(keyPem)))
        this.#report([...path, 'keyFile'], `${keyName} is not the key of ${certName}`);
    } catch {
      this.#report(
        [...path, 'keyFile'],
        `${keyName} holds no private key in PEM form that can be read without a passphrase`,
      );
    }
  }

  #report(path: Path, message: string): void {
    this.problems.push(this.#document.problem('error', path, `${show(path)}: ${message}`));
  }
}
