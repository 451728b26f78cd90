/** An HTTP/2 backend in clear that keeps what it got, answers with the target, and holds what came against RFC 9113 section 8. */
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface RecordedStream {
  readonly target: string;
  /** Without pseudo-header fields. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly trailers: readonly string[];
}

export interface RecordingHttp2 extends AsyncDisposable {
  readonly address: string;
  /** Whole requests, in the order of their ends. */
  readonly requests: readonly RecordedStream[];
  readonly violations: readonly string[];
}

/** RFC 9113 section 8.2.2, and what is left of framing fields in other spellings. */
const FORBIDDEN =
  /^(?:connection|keep-alive|proxy-connection|transfer[-_]encoding|content_length|upgrade|http2-settings)$/;

export async function startRecordingHttp2(): Promise<RecordingHttp2> {
  const requests: RecordedStream[] = [];
  const violations: string[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = http2.createServer();
  server.on('session', session => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream, _headers, _flags, raw) => {
    const from = raw.findIndex((text, at) => at % 2 === 0 && !text.startsWith(':'));
    const headers = from < 0 ? [] : raw.slice(from);
    const target = raw[raw.indexOf(':path') + 1] ?? '';
    const chunks: Buffer[] = [];
    let trailers: readonly string[] = [];
    let isReset = false;
    stream.on('error', () => {}); // the proxy may reset it
    stream.on('aborted', () => {
      isReset = true;
    });
    stream.on('trailers', (_fields, _bits, rawTrailers) => {
      trailers = rawTrailers ?? [];
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      if (isReset || stream.destroyed) return;
      const request = { target, headers, body: Buffer.concat(chunks), trailers };
      requests.push(request);
      violations.push(...violationsOf(request));
      stream.respond({ ':status': 200 });
      stream.end(target);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    violations,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

function violationsOf({ target, headers, body, trailers }: RecordedStream): string[] {
  const names = [...headers, ...trailers].filter((_, at) => at % 2 === 0);
  const found = names.filter(
    name => FORBIDDEN.test(name) || name.startsWith(':') || name !== name.toLowerCase(),
  );
  const lengths = headers.filter((_, at) => at % 2 === 1 && headers[at - 1] === 'content-length');
  if (lengths.length > 1 || (lengths.length === 1 && Number(lengths[0]) !== body.length))
    found.push(`content-length ${lengths} of ${body.length} bytes`);
  return found.map(what => `${target}: ${what}`);
}
