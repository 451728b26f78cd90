/**
 * Certificates for tests, valid until 2126, keys on P-256; secret to nobody and good for nothing else.
 *
 * `server` is for localhost, 127.0.0.1, ::1, app.test and *.app.test; `elsewhere` for elsewhere.test; `client` for
 * clients: all signed by `ca`, whose key was thrown away. Signed by themselves: `stranger` is for localhost; `rsa` has an RSA key
 * and the names of `server`; `device` is a client with a subject and names that need care; `nameless` has only a common name.
 */
import { chmodSync, readFileSync } from 'node:fs';
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
export const rsa = pair('rsa');
export const device = pair('device');
export const nameless = pair('nameless');
/** 48 random bytes for session tickets. */
export const ticketKeyFile = privateFile('tickets.key');

function pair(name: string): KeyPair {
  const certFile = fileOf(`${name}.crt`);
  const keyFile = privateFile(`${name}.key`);
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

/** Git keeps no such mode, and a key that others may read is warned of. */
function privateFile(name: string): string {
  const file = fileOf(name);
  chmodSync(file, 0o600);
  return file;
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`certificates/${name}`, import.meta.url));
}
