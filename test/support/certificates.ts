/**
 * Certificates for tests, valid until 2126, keys on P-256; secret to nobody and good for nothing else.
 *
 * `server` is for localhost, 127.0.0.1, ::1, app.test and *.app.test; `elsewhere` for elsewhere.test; `client` for
 * clients: all signed by `ca`, whose key was thrown away. `stranger` is for localhost, signed by itself.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export const caFile = fileOf('ca.crt');
export const ca = readFileSync(caFile, 'utf8');
export const server = pair('server');
export const elsewhere = pair('elsewhere');
export const client = pair('client');
export const stranger = pair('stranger');

function pair(name: string): KeyPair {
  const certFile = fileOf(`${name}.crt`);
  const keyFile = fileOf(`${name}.key`);
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`certificates/${name}`, import.meta.url));
}
