/** Chance as a parameter, so that a test can repeat it from a seed. */
import { randomBytes, randomUUIDv7 } from 'node:crypto';

export interface Random {
  /** This many random bytes from a secure source, as lower-case hexadecimal digits. */
  hex(bytes: number): string;
  /** Uniform in [0, 1). */
  unit(): number;
  /** A new request id: UUID version 7 (RFC 9562 section 5.7), so that ids sort by time. */
  requestId(): string;
}

export const systemRandom: Random = {
  unit: () => Math.random(),
  requestId: () => randomUUIDv7(),
  hex: bytes => randomBytes(bytes).toString('hex'),
};
