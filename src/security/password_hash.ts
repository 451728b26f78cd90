/**
 * Password hashes of a htpasswd file. Only hashes that are slow on purpose are accepted: bcrypt (`htpasswd -B`), and argon2id
 * (RFC 9106) and scrypt (RFC 7914) as PHC strings. `password_worker.ts` checks them.
 */
import crypto from 'node:crypto';

type PasswordHash =
  | { readonly kind: 'bcrypt'; readonly text: string }
  | {
      readonly kind: 'argon2id';
      readonly memoryKiB: number;
      readonly passes: number;
      readonly parallelism: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    }
  | {
      readonly kind: 'scrypt';
      /** N, a power of two. */
      readonly cost: number;
      readonly blockSize: number;
      readonly parallelization: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    };

/** Each step doubles the work; 14 took about 1.5 s on the development machine. */
const BCRYPT_COST_MAX = 14;
const MEMORY_KIB_MAX = 256 * 1_024;
const PASSES_MAX = 16;
const PARALLELISM_MAX = 16;
const DIGEST_BYTES_MIN = 16;
const DIGEST_BYTES_MAX = 128;

const ADVICE = 'write the line again with: htpasswd -B FILE USER';

/** Hashes that are fast to compute: passwords could be found by trying, if the file leaks. */
const WEAK: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^\$apr1\$/, 'MD5 (apr1)'],
  [/^\$1\$/, 'MD5 (crypt)'],
  [/^\{SHA\}/i, 'unsalted SHA-1'],
  [/^\{SSHA\}/i, 'SHA-1'],
  [/^\$[56]\$/, 'SHA-2 (crypt)'],
  [/^[./0-9A-Za-z]{13}$/, 'DES (crypt), or a password that is not hashed'],
];

/** Returns a string if the hash cannot be used: the reason and the remedy. It never contains the hash. */
export function parsePasswordHash(text: string): PasswordHash | string {
  if (/^\$2[aby]\$/.test(text)) return parseBcrypt(text);
  if (text.startsWith('$argon2id$')) return parseArgon2id(text);
  if (text.startsWith('$scrypt$')) return parseScrypt(text);
  const weak = WEAK.find(([pattern]) => pattern.test(text));
  return weak === undefined
    ? `the password is not hashed, or the hash is of an unknown kind; ${ADVICE}`
    : `${weak[1]} is not accepted; ${ADVICE}`;
}

function parseBcrypt(text: string): PasswordHash | string {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1];
  if (cost === undefined || Number(cost) < 4) return `the bcrypt hash is damaged; ${ADVICE}`;
  return Number(cost) > BCRYPT_COST_MAX
    ? `bcrypt cost ${Number(cost)} takes too long for each login; the highest is ${BCRYPT_COST_MAX}: htpasswd -B -C 10 FILE USER`
    : { kind: 'bcrypt', text };
}

function parseArgon2id(text: string): PasswordHash | string {
  if (typeof crypto.argon2Sync !== 'function') return `argon2id needs Node 24.7 or newer; ${ADVICE}`;
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text);
  if (match === null)
    return 'not an argon2id hash of version 19 ($argon2id$v=19$m=...,t=...,p=...$SALT$HASH)';
  const [memoryKiB = 0, passes = 0, parallelism = 0] = match.slice(1, 4).map(Number);
  const { salt, digest } = material(match[4], match[5]);
  if (memoryKiB > MEMORY_KIB_MAX || passes > PASSES_MAX || parallelism > PARALLELISM_MAX)
    return `argon2id may use at most m=${MEMORY_KIB_MAX} (256 MiB), t=${PASSES_MAX}, p=${PARALLELISM_MAX}`;
  // RFC 9106 section 3.1
  if (passes < 1 || parallelism < 1 || memoryKiB < 8 * parallelism || salt.length < 8 || !isDigest(digest))
    return 'the argon2id hash is damaged: m, t, p, salt or hash are too small';
  return { kind: 'argon2id', memoryKiB, passes, parallelism, salt, digest };
}

function parseScrypt(text: string): PasswordHash | string {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(
    text,
  );
  if (match === null) return 'not a scrypt hash ($scrypt$ln=...,r=...,p=...$SALT$HASH)';
  const [exponent = 0, blockSize = 0, parallelization = 0] = match.slice(1, 4).map(Number);
  const { salt, digest } = material(match[4], match[5]);
  const memoryKiB = (2 ** exponent * blockSize * 128) / 1_024;
  if (memoryKiB > MEMORY_KIB_MAX || parallelization > PARALLELISM_MAX)
    return `scrypt may use at most 256 MiB (128 * r * 2^ln bytes) and p=${PARALLELISM_MAX}`;
  if (exponent < 1 || blockSize < 1 || parallelization < 1 || salt.length < 8 || !isDigest(digest))
    return 'the scrypt hash is damaged: ln, r, p, salt or hash are too small';
  return { kind: 'scrypt', cost: 2 ** exponent, blockSize, parallelization, salt, digest };
}

function material(salt = '', digest = '') {
  return { salt: Buffer.from(salt, 'base64'), digest: Buffer.from(digest, 'base64') };
}

function isDigest({ length }: Buffer): boolean {
  return length >= DIGEST_BYTES_MIN && length <= DIGEST_BYTES_MAX;
}
