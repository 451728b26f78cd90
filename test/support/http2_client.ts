/** An HTTP/2 client that reports everything of an answer; in clear (prior knowledge) or over TLS. */
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';

export interface Http2Answer {
  readonly status: number;
  /** Flat, as they came, without pseudo-fields. */
  readonly headers: readonly string[];
  readonly information: readonly { readonly status: number; readonly headers: readonly string[] }[];
  readonly body: Buffer;
  readonly text: string;
  readonly trailers: readonly string[] | null;
  /** 0 (NO_ERROR) after a clean end; see RFC 9113 section 7. */
  readonly rstCode: number;
}

export interface Http2Exchange {
  readonly stream: ClientHttp2Stream;
  /** When the head is there. */
  readonly head: Promise<{ readonly status: number; readonly headers: readonly string[] }>;
  /** When the stream is over, however it ended. Status 0: it ended without an answer. */
  readonly answer: Promise<Http2Answer>;
}

export interface Http2Client {
  readonly session: ClientHttp2Session;
  /** When the server has said that it takes no more streams here. */
  readonly goAway: Promise<void>;
  /** Fields that begin with a colon replace the defaults `GET /` on `app.test`. */
  request(path: string, headers?: OutgoingHttpHeaders, body?: string | Buffer | 'open'): Http2Exchange;
  close(): Promise<void>;
}

export interface Http2Target {
  readonly port: number;
  readonly tls?: tls.ConnectionOptions;
  readonly settings?: http2.Settings;
  /** Comes first, before TLS too. */
  readonly proxyHeader?: Buffer;
}

export async function connectHttp2({
  port,
  tls: tlsOptions,
  settings = {},
  proxyHeader,
}: Http2Target): Promise<Http2Client> {
  const authority = `${tlsOptions === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const session = http2.connect(authority, {
    ...tlsOptions,
    settings: { enablePush: false, ...settings },
    ...(proxyHeader === undefined ? {} : { createConnection: () => behind(port, proxyHeader, tlsOptions) }),
  });
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => resolve());
    session.once('error', reject);
  });
  session.on('error', () => {}); // each stream tells its own end
  return {
    session,
    goAway: new Promise(resolve => session.once('goaway', () => resolve())),
    request(path, headers = {}, body) {
      const fields = { ':method': 'GET', ':path': path, ':authority': 'app.test', ...headers };
      const stream = session.request(fields, { endStream: body === undefined });
      if (body !== undefined && body !== 'open') stream.end(body);
      return observe(stream);
    },
    close: () =>
      new Promise(resolve => {
        if (session.destroyed) resolve();
        else {
          session.once('close', () => resolve());
          session.destroy();
        }
      }),
  };
}

function behind(port: number, header: Buffer, options: tls.ConnectionOptions | undefined): Duplex {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(header);
  return options === undefined ? socket : tls.connect({ ALPNProtocols: ['h2'], ...options, socket });
}

function observe(stream: ClientHttp2Stream): Http2Exchange {
  const information: { status: number; headers: readonly string[] }[] = [];
  const chunks: Buffer[] = [];
  let status = 0;
  let headers: readonly string[] = [];
  let trailers: readonly string[] | null = null;
  const { promise: head, resolve: onHead } = Promise.withResolvers<{
    status: number;
    headers: readonly string[];
  }>();
  const rawOf = (raw: readonly string[]) =>
    raw.slice(2 * raw.filter((field, at) => at % 2 === 0 && field[0] === ':').length);
  stream.on('headers', (fields, _flags, raw) => {
    information.push({ status: Number(fields[':status']), headers: rawOf(raw ?? []) });
  });
  stream.on('response', (fields, _flags, raw) => {
    status = Number(fields[':status']);
    headers = rawOf(raw ?? []);
    onHead({ status, headers });
  });
  stream.on('trailers', (_fields, _flags, raw) => {
    trailers = raw ?? [];
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => {}); // the code is in rstCode
  const answer = new Promise<Http2Answer>(resolve => {
    stream.on('close', () => {
      onHead({ status, headers });
      const body = Buffer.concat(chunks);
      const rstCode = stream.rstCode ?? 0;
      resolve({ status, headers, information, body, text: body.toString(), trailers, rstCode });
    });
  });
  return { stream, head, answer };
}
