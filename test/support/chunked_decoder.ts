/** Chunks by the letter of RFC 9112 section 7.1, with all that it allows (extensions, leading zeros, trailers), for comparison. */

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
/** What it says does not matter, only that it ends with its line. */
const EXTENSIONS = '[ \\t]*;[\\t -~\\x80-\\xff]*';
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]+)(?:${EXTENSIONS})?$`);
const FIELD_LINE = new RegExp(`^${TOKEN}:[\\t -~\\x80-\\xff]*$`);

/** Null: it is no chunked body, or not a whole one. `bytes`: where it ends. */
export function decodeChunked(bytes: Buffer): { readonly body: Buffer; readonly bytes: number } | null {
  const chunks: Buffer[] = [];
  let at = 0;
  const line = (): string | null => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return null;
    const text = bytes.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const digits = SIZE_LINE.exec(line() ?? '')?.[1];
    if (digits === undefined) return null;
    const size = Number.parseInt(digits, 16);
    if (size === 0) break;
    if (at + size + 2 > bytes.length) return null;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
    if (line() !== '') return null;
  }
  for (let text = line(); text !== ''; text = line())
    if (text === null || !FIELD_LINE.test(text)) return null;
  return { body: Buffer.concat(chunks), bytes: at };
}
