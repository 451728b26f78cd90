/**
 * The thread that checks passwords, one after another. A check takes milliseconds to a second of CPU time on purpose, too
 * long for the event loop. `password_checks.ts` uses it.
 */
import crypto from 'node:crypto'; // not by name: this must load in Node before 24.7 too, which has no argon2
import { parentPort } from 'node:worker_threads';
import bcrypt from 'bcryptjs';
import { parsePasswordHash } from './password_hash.ts';

/** Above the memory of every accepted hash, as scrypt counts it. */
const SCRYPT_BYTES_MAX = 512 * 1_024 * 1_024;

export function isPassword(passwordHash: string, password: string): boolean {
  const hash = parsePasswordHash(passwordHash);
  if (typeof hash === 'string') throw new Error('a plan contains only hashes that can be used');
  switch (hash.kind) {
    case 'bcrypt':
      return bcrypt.compareSync(password, hash.text); // compares all characters
    case 'argon2id': {
      const { memoryKiB: memory, passes, parallelism, salt: nonce, digest } = hash;
      const options = { message: password, nonce, parallelism, tagLength: digest.length, memory, passes };
      return crypto.timingSafeEqual(crypto.argon2Sync('argon2id', options), digest);
    }
    case 'scrypt': {
      const { cost, blockSize, parallelization, salt, digest } = hash;
      const options = { cost, blockSize, parallelization, maxmem: SCRYPT_BYTES_MAX };
      return crypto.timingSafeEqual(crypto.scryptSync(password, salt, digest.length, options), digest);
    }
  }
}

parentPort?.on('message', ({ passwordHash, password }: { passwordHash: string; password: string }) => {
  parentPort?.postMessage(isPassword(passwordHash, password));
});
