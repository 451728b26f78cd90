/**
 * HTTP/1.1 messages as tests read them: simple, strict about what matters to a test, and independent of the
 * parsers that the proxy uses. Header lists are flat (name, value, ...) as they came, latin1.
 */
import { createHash } from 'node:crypto';
import type { SocketReader } from './socket_reader.ts';

export interface MessageHead {
  readonly startLine: string;
  readonly headers: readonly string[];
}

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

export interface MessageBody {
  /** At most the first MiB. */
  readonly content: Buffer;
  readonly bytes: number;
  readonly sha256: string;
  readonly trailers: readonly string[];
  /** False when the connection ended before the body did. */
  readonly complete: boolean;
}

const CONTENT_BYTES_MAX = 1024 * 1024;

/** All values of a field, in order. */
export function values(headers: readonly string[], name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === wanted);
}

/** The values of a field as one (RFC 9110 section 5.3), or null. */
export function value(headers: readonly string[], name: string): string | null {
  const all = values(headers, name);
  return all.length === 0 ? null : all.join(', ');
}

/** The next head; null when the connection ends before a whole one came. */
export async function readHead(reader: SocketReader): Promise<MessageHead | null> {
  const bytes = await reader.until('\r\n\r\n');
  if (bytes === null) return null;
  const [startLine = '', ...lines] = bytes.toString('latin1').split('\r\n');
  return { startLine, headers: parseFields(lines) };
}

function parseFields(lines: readonly string[]): string[] {
  return lines.flatMap(line => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** RFC 9112 section 6.3, for a request (`method` is null) or for the answer to one. */
export function framingOf(
  headers: readonly string[],
  answer: { method: string; status: number } | null,
): Framing {
  if (answer !== null) {
    const { method, status } = answer;
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' };
  }
  if (value(headers, 'transfer-encoding')?.toLowerCase().endsWith('chunked') === true)
    return { kind: 'chunked' };
  const length = value(headers, 'content-length');
  if (length !== null) return { kind: 'length', bytes: Number(length) };
  return answer === null ? { kind: 'none' } : { kind: 'close' };
}

/** Reads a body; `onChunk` sees each piece and may make the reader wait. */
export async function readBody(
  reader: SocketReader,
  framing: Framing,
  onChunk?: (chunk: Buffer) => Promise<void> | void,
): Promise<MessageBody> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let bytes = 0;
  const take = async (chunk: Buffer) => {
    hash.update(chunk);
    if (bytes < CONTENT_BYTES_MAX) kept.push(chunk.subarray(0, CONTENT_BYTES_MAX - bytes));
    bytes += chunk.length;
    await onChunk?.(chunk);
  };
  const { complete, trailers } = await readFramed(reader, framing, take);
  return { content: Buffer.concat(kept), bytes, sha256: hash.digest('hex'), trailers, complete };
}

type Take = (chunk: Buffer) => Promise<void>;

async function readFramed(
  reader: SocketReader,
  framing: Framing,
  take: Take,
): Promise<{ readonly complete: boolean; readonly trailers: readonly string[] }> {
  switch (framing.kind) {
    case 'none':
      return { complete: true, trailers: [] };
    case 'length':
      return { complete: await readCounted(reader, framing.bytes, take), trailers: [] };
    case 'close': {
      await readCounted(reader, Number.POSITIVE_INFINITY, take);
      return { complete: (await reader.ended) === 'end', trailers: [] };
    }
    case 'chunked':
      return readChunked(reader, take);
  }
}

async function readCounted(reader: SocketReader, count: number, take: Take): Promise<boolean> {
  let left = count;
  while (left > 0) {
    const chunk = await reader.some(left);
    if (chunk === null) return false;
    left -= chunk.length;
    await take(chunk);
  }
  return true;
}

async function readChunked(reader: SocketReader, take: Take) {
  const cut = { complete: false, trailers: [] };
  for (;;) {
    const line = await reader.until('\r\n');
    if (line === null || !/^[0-9a-f]+\s*(;|$)/i.test(line.toString('latin1'))) return cut;
    const size = Number.parseInt(line.toString('latin1'), 16);
    if (size === 0) break;
    if (!(await readCounted(reader, size, take)) || (await reader.until('\r\n')) === null) return cut;
  }
  const lines: string[] = [];
  for (;;) {
    const line = await reader.until('\r\n');
    if (line === null) return cut;
    if (line.length === 0) return { complete: true, trailers: parseFields(lines) };
    lines.push(line.toString('latin1'));
  }
}

/** The bytes of a head. */
export function formatHead(startLine: string, headers: readonly string[]): Buffer {
  let text = `${startLine}\r\n`;
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

export function formatChunk(chunk: Buffer | string): Buffer {
  const bytes = Buffer.from(chunk);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** The end of a chunked body. */
export function formatLastChunk(trailers: readonly string[] = []): Buffer {
  return formatHead('0', trailers);
}
