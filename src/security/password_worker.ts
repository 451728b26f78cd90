/**
 * The thread that checks passwords, one after another: each check costs milliseconds to a second of CPU on purpose, which
 * the event loop cannot give. `password_checks.ts` asks it.
 */
import crypto from 'node:crypto'; // as a whole: Node before 24.7 has no argon2, and this must load all the same
import { parentPort } from 'node:worker_threads';
import bcrypt from 'bcryptjs';
import { parsePasswordHash } from './password_hash.ts';

/** How scrypt counts its memory, and a little more. */
const SCRYPT_BYTES_MAX = 512 * 1_024 * 1_024;

export function isPassword(passwordHash: string, password: string): boolean {
  const hash = parsePasswordHash(passwordHash);
  if (typeof hash === 'string') throw new Error('a hash that cannot be used is no part of a plan');
  switch (hash.kind) {
    case 'bcrypt':
      return bcrypt.compareSync(password, hash.text); // looks at all characters
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
