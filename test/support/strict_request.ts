/**
 * HTTP/1.1 requests read by the letter (RFC 9112): nothing is forgiven, nothing is guessed. What it refuses is what two
 * servers could read in two ways, so a proxy must never send it.
 */
export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  /** Flat: name, value, ... as they came, latin1. */
  readonly headers: readonly string[];
  readonly framing: 'none' | 'length' | 'chunked';
  readonly body: Buffer;
  readonly trailers: readonly string[];
}

/** `more`: not whole yet; `target` is known as soon as the head is. `wrong`: not canonical, or no request at all. */
export type StrictResult =
  | { readonly kind: 'request'; readonly request: StrictRequest; readonly bytes: number }
  | { readonly kind: 'more'; readonly target: string | null }
  | { readonly kind: 'wrong'; readonly why: string };

class Wrong extends Error {}
/** The bytes end before the message does. */
class Incomplete extends Error {}

const END_OF_HEAD = '\r\n\r\n';
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\/[\x21-\x7e\x80-\xff]*|\*) HTTP\/1\.1$/;
const FIELD_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t -~\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;
const CHUNK_LINE = /^[0-9a-fA-F]{1,8}$/;
/** Without underscores and case these would be fields that frame the message. */
const FRAMING = ['transferencoding', 'contentlength'];

/** The request at the beginning of `bytes`. */
export function readStrictRequest(bytes: Buffer): StrictResult {
  let target: string | null = null;
  try {
    const end = bytes.indexOf(END_OF_HEAD);
    if (end < 0) return { kind: 'more', target: null };
    const [line = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const words = REQUEST_LINE.exec(line);
    if (words === null) throw new Wrong(`the request line ${JSON.stringify(line)}`);
    const [, method = ''] = words;
    target = words[2] ?? '';
    const headers = lines.flatMap(readField);
    const framing = framingOf(headers);
    const rest = bytes.subarray(end + END_OF_HEAD.length);
    const body = framing === 'chunked' ? readChunks(rest) : readCounted(rest, headers);
    const request = { method, target, headers, framing, body: body.content, trailers: body.trailers };
    return { kind: 'request', request, bytes: end + END_OF_HEAD.length + body.bytes };
  } catch (error) {
    if (error instanceof Incomplete) return { kind: 'more', target };
    if (error instanceof Wrong) return { kind: 'wrong', why: error.message };
    throw error;
  }
}

function readField(line: string): string[] {
  const field = FIELD_LINE.exec(line);
  if (field === null) throw new Wrong(`the field line ${JSON.stringify(line)}`);
  const [, name = '', value = ''] = field;
  if (name.includes('_') && FRAMING.includes(name.replace(/[_-]/g, '').toLowerCase()))
    throw new Wrong(`the look-alike ${name}`);
  return [name, value];
}

function valuesOf(headers: readonly string[], name: string): string[] {
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name);
}

/** Exactly one way to read where the message ends, and exactly one host that it is for. */
function framingOf(headers: readonly string[]): StrictRequest['framing'] {
  if (valuesOf(headers, 'host').length !== 1) throw new Wrong('not exactly one Host');
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Wrong(`framed twice: ${[...lengths, ...codings]}`);
  if (codings.length > 0 && codings[0] !== 'chunked') throw new Wrong(`the coding ${codings[0]}`);
  if (lengths.length > 0 && !/^\d{1,15}$/.test(lengths[0] ?? '')) throw new Wrong(`the length ${lengths[0]}`);
  if (codings.length > 0) return 'chunked';
  return lengths.length > 0 ? 'length' : 'none';
}

function readCounted(rest: Buffer, headers: readonly string[]) {
  const bytes = Number(valuesOf(headers, 'content-length')[0] ?? 0);
  if (rest.length < bytes) throw new Incomplete();
  return { content: rest.subarray(0, bytes), trailers: [], bytes };
}

function readChunks(rest: Buffer) {
  const chunks: Buffer[] = [];
  let at = 0;
  const line = (): string => {
    const end = rest.indexOf('\r\n', at);
    if (end < 0) throw new Incomplete();
    const text = rest.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const size = line();
    if (!CHUNK_LINE.test(size)) throw new Wrong(`the chunk size ${JSON.stringify(size)}`);
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) break;
    if (rest.length < at + bytes + 2) throw new Incomplete();
    chunks.push(rest.subarray(at, at + bytes));
    at += bytes;
    if (line() !== '') throw new Wrong('bytes between the end of a chunk and its line end');
  }
  const trailers: string[] = [];
  for (let text = line(); text !== ''; text = line()) trailers.push(...readField(text));
  return { content: Buffer.concat(chunks), trailers, bytes: at };
}
