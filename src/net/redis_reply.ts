/**
 * Parses replies of a Redis or Valkey server: RESP2 (Redis serialization protocol specification), the kinds with which the
 * commands of `redis_connection.ts` are answered. The server is trusted, but still bounded: a reply that is too large, too
 * deep or not RESP2 ends the connection.
 */

/** An error that the server reports, such as `NOSCRIPT No matching script`; the first word is its code. */
interface ReplyError {
  readonly error: string;
}

export type Reply = string | number | null | ReplyError | readonly Reply[];

/** Maximum of an incomplete reply; ours have some hundred bytes. */
const PENDING_CHARACTERS_MAX = 64 * 1_024;
const DEPTH_MAX = 4;
const CRLF = '\r\n';

/** `end` is where the next reply begins. */
type Parsed = { readonly reply: Reply; readonly end: number } | 'incomplete' | 'invalid';

export class ReplyReader {
  readonly #onReply: (reply: Reply) => void;
  #pending = '';

  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply;
  }

  /** Returns false if the bytes are not a reply; then later bytes cannot be trusted either. */
  take(chunk: Buffer): boolean {
    this.#pending += chunk.toString('latin1'); // one character per byte, so that lengths are in bytes
    let at = 0;
    for (;;) {
      const parsed = parse(this.#pending, at, 0);
      if (parsed === 'invalid') return false;
      if (parsed === 'incomplete') break;
      at = parsed.end;
      this.#onReply(parsed.reply);
    }
    this.#pending = this.#pending.slice(at);
    return this.#pending.length <= PENDING_CHARACTERS_MAX;
  }
}

function parse(text: string, at: number, depth: number): Parsed {
  const lineEnd = text.indexOf(CRLF, at);
  if (lineEnd < 0) return 'incomplete';
  const line = text.slice(at + 1, lineEnd);
  const end = lineEnd + CRLF.length;
  switch (text[at]) {
    case '+':
      return { reply: line, end };
    case '-':
      return { reply: { error: line }, end };
    case ':':
      return /^[+-]?\d{1,16}$/.test(line) ? { reply: Number(line), end } : 'invalid';
    case '$':
      return parseBulk(text, line, end);
    case '*':
      return parseArray(text, line, end, depth);
    default:
      return 'invalid';
  }
}

function parseBulk(text: string, line: string, start: number): Parsed {
  if (line === '-1') return { reply: null, end: start };
  if (!/^\d{1,6}$/.test(line)) return 'invalid';
  const end = start + Number(line);
  if (text.length < end + CRLF.length) return 'incomplete';
  return text.startsWith(CRLF, end) ? { reply: text.slice(start, end), end: end + CRLF.length } : 'invalid';
}

function parseArray(text: string, line: string, start: number, depth: number): Parsed {
  if (line === '-1') return { reply: null, end: start };
  if (!/^\d{1,4}$/.test(line) || depth >= DEPTH_MAX) return 'invalid';
  const items: Reply[] = [];
  let at = start;
  for (let left = Number(line); left > 0; left--) {
    const item = parse(text, at, depth + 1);
    if (typeof item === 'string') return item;
    items.push(item.reply);
    at = item.end;
  }
  return { reply: items, end: at };
}

/** A command as an array of bulk strings; words are written as UTF-8. */
export function formatCommand(words: readonly string[]): string {
  let text = `*${words.length}${CRLF}`;
  for (const word of words) text += `$${Buffer.byteLength(word)}${CRLF}${word}${CRLF}`;
  return text;
}
