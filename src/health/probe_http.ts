/** A probe over HTTP: the status must be as expected, and the beginning of the body must contain a text if one is set. */
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { errorCode } from '../resilience/error_code.ts';
import { type HttpProbe, type ProbeCallback, USER_AGENT } from './probe_settings.ts';

/** Not imported, for the reason in `net/node_http.ts`. */
const http = process.getBuiltinModule('node:http');

/** The body is read up to this length. */
const BODY_BYTES_MAX = 4_096;

export function askHttp1(
  settings: HttpProbe,
  socket: Socket,
  authority: string,
  report: ProbeCallback,
): void {
  const request = http.request({
    method: settings.method,
    path: settings.path,
    headers: [
      ...['Host', settings.host ?? authority, 'User-Agent', USER_AGENT, 'Connection', 'close'],
      ...settings.headers.flat(),
    ],
    setHost: false,
    createConnection: () => socket,
  });
  request.on('error', error => report(false, errorCode(error)));
  request.on('upgrade', () => report(false, 'status 101')); // no upgrade was requested
  request.on('response', response => {
    const judge = new Judge(settings, response.statusCode ?? 0, report);
    response.on('data', (chunk: Buffer) => judge.onBody(chunk));
    response.on('end', () => judge.onEnd());
    response.on('error', error => report(false, errorCode(error)));
  });
  request.end();
}

export function askHttp2(
  settings: HttpProbe,
  socket: Socket,
  authority: string,
  report: ProbeCallback,
): void {
  const session = http2.connect('http://backend', { createConnection: () => socket });
  session.on('error', error => report(false, errorCode(error)));
  const stream = session.request({
    ':method': settings.method,
    ':scheme': 'encrypted' in socket ? 'https' : 'http',
    ':authority': settings.host ?? authority,
    ':path': settings.path,
    'user-agent': USER_AGENT,
    ...Object.fromEntries(settings.headers.map(([name, value]) => [name.toLowerCase(), value])),
  });
  stream.on('error', error => report(false, errorCode(error)));
  stream.on('close', () => report(false, 'closed')); // without an error and without a response
  stream.on('response', headers => {
    const judge = new Judge(settings, headers[':status'] ?? 0, report);
    stream.on('data', (chunk: Buffer) => judge.onBody(chunk));
    stream.on('end', () => judge.onEnd());
  });
  stream.end();
}

/** Reports as soon as the result is known. */
class Judge {
  readonly #text: string | null;
  readonly #report: ProbeCallback;
  #begun = Buffer.alloc(0);

  constructor({ statusMin, statusMax, body }: HttpProbe, status: number, report: ProbeCallback) {
    const isExpected = status >= statusMin && status <= statusMax;
    this.#text = body;
    this.#report = report;
    const expected = statusMin === statusMax ? String(statusMin) : `${statusMin} to ${statusMax}`;
    if (!isExpected) report(false, `status ${status}, expected ${expected}`);
    else if (body === null) report(true, `status ${status}`);
  }

  onBody(chunk: Buffer): void {
    if (this.#text === null || this.#begun.length >= BODY_BYTES_MAX) return;
    this.#begun = Buffer.concat([this.#begun, chunk]).subarray(0, BODY_BYTES_MAX);
    if (this.#begun.includes(this.#text)) this.#report(true, 'the body contains the expected text');
    else if (this.#begun.length === BODY_BYTES_MAX) this.onEnd();
  }

  onEnd(): void {
    if (this.#text !== null) this.#report(false, 'the body does not contain the expected text');
  }
}
