/** One attack as data: the bytes, and everything that may come of them. */
export interface Row {
  readonly name: string;
  /** Latin-1. */
  readonly bytes: string;
  /** Statuses of the responses, in order; no other response may come. */
  readonly answers: readonly number[];
  /** Targets of the requests that the backend may see whole, in order. */
  readonly backend: readonly string[];
  /** Their bodies, where they matter. */
  readonly bodies?: readonly string[];
  /** Whether the connection takes another request behind the responses. */
  readonly after: 'open' | 'closed';
  /** The client ends its side behind the bytes. */
  readonly finish?: true;
}

/** What an attacker hides; it never reaches the backend unless it is a request of its own for both sides. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n';
/** Hides `SMUGGLED` behind a body that is over for whoever reads chunks. */
export const CHUNKED_THEN_SMUGGLED = `0\r\n\r\n${SMUGGLED}`;
export const HELLO_CHUNKED = '5\r\nhello\r\n0\r\n\r\n';

/** Refused without a look at the rest; nothing behind it is read. */
export function refused(name: string, bytes: string, status = 400): Row {
  return { name, bytes, answers: [status], backend: [], after: 'closed' };
}

/** Understood in one way only: as these requests. */
export function passed(
  name: string,
  bytes: string,
  backend: readonly string[] = ['/attack'],
  rest: Partial<Row> = {},
): Row {
  return { name, bytes, answers: backend.map(() => 200), backend, after: 'open', ...rest };
}

/** A request with `Host: app.test`. */
export function request(line: string, fields: readonly string[] = [], body = ''): string {
  return `${[line, 'Host: app.test', ...fields].join('\r\n')}\r\n\r\n${body}`;
}

export function post(fields: readonly string[], body = ''): string {
  return request('POST /attack HTTP/1.1', fields, body);
}

export function get(...fields: readonly string[]): string {
  return request('GET /attack HTTP/1.1', fields);
}
