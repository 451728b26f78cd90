/** Reads a text file that may be endless, a folder, or not text. */
import { closeSync, openSync, readSync } from 'node:fs';

type ReadResult =
  | { readonly kind: 'text'; readonly text: string }
  /** The file was read and cannot be used. */
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'unreadable'; readonly why: string };

const CHUNK_BYTES = 64 * 1_024;

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it does not exist'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'part of its path is not a directory'],
  ['ELOOP', 'its symbolic links form a loop'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['EMFILE', 'the process has too many open files'],
]);

/** Reads a file of at most `bytesMax` bytes of UTF-8. Errors are returned, not thrown. */
export function readTextFile(file: string, bytesMax: number): ReadResult {
  const bytes = readBinaryFile(file, bytesMax);
  if (typeof bytes === 'string') return { kind: 'unreadable', why: bytes };
  if (bytes.length > bytesMax)
    return { kind: 'unusable', why: `it is larger than ${bytesMax / 1_024 ** 2} MiB` };
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { kind: 'unusable', why: 'it is not UTF-8 text' };
  }
}

/** At most one byte more than `bytesMax`, or why it cannot be read. */
export function readBinaryFile(file: string, bytesMax: number): Buffer | string {
  try {
    return readBytes(file, bytesMax);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return REASONS.get(code) ?? code;
  }
}

/** Reading one byte more than allowed is enough. */
function readBytes(file: string, bytesMax: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    while (total <= bytesMax) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytesMax + 1 - total));
      const count = readSync(descriptor, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
}
