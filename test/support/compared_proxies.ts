/** Two proxies before the same backends: what a client notices of each, and what a backend is told, in a form to compare. */
import { echo, tunnel } from './backend_behaviours.ts';
import * as certificates from './certificates.ts';
import { value } from './http1_message.ts';
import { connectRaw, fetchRaw, formatRequest, type RequestOptions, type Target } from './raw_client.ts';
import type { Behaviour } from './scripted_backend.ts';

export interface Asked extends RequestOptions {
  /** `https` when absent. */
  readonly listener?: 'http' | 'https';
  readonly path: string;
  readonly host?: string;
  /** The client's address, for another one than 127.0.0.1. */
  readonly from?: string;
}

/** A name that the test certificate is for. */
export const HOST = 'shop.app.test';
const TLS = { servername: HOST, ca: certificates.ca };
/** Fields of the request that both have to set alike. */
const TOLD = ['host', 'authorization', 'x-forwarded-for', 'x-forwarded-proto'];

/** Says who it is and what it was sent; takes WebSocket handshakes. */
export function backendOf(name: string): Behaviour {
  return request =>
    value(request.headers, 'upgrade') === null
      ? echo(['X-Backend', name])(request)
      : tunnel(({ socket }) => void socket.resume().on('end', () => socket.end()))(request);
}

/** Without the bodies and fields that a proxy makes by itself: those differ. */
export async function answerTo(target: Target, { listener = 'https', path, from, ...options }: Asked) {
  const headers = ['Host', options.host ?? HOST, ...(options.headers ?? [])];
  const local = from === undefined ? {} : { localAddress: from };
  const tls = listener === 'https' ? { tls: TLS } : {};
  const answer = await fetchRaw({ ...target, ...tls, ...local }, path, { ...options, headers });
  const backend = value(answer.headers, 'x-backend');
  const seen = backend === null ? null : (JSON.parse(answer.text) as Record<string, unknown>);
  const fields = (seen?.['headers'] ?? []) as string[];
  return {
    status: answer.status,
    location: value(answer.headers, 'location'),
    cacheControl: backend === null ? null : value(answer.headers, 'cache-control'),
    challenge: value(answer.headers, 'www-authenticate')?.startsWith('Basic realm="Admin"') ?? null,
    text: path === '/robots.txt' ? answer.text : null,
    backend,
    method: seen?.['method'],
    target: seen?.['target'],
    bodyBytes: seen?.['bodyBytes'],
    fields: TOLD.map(name => value(fields, name)),
  };
}

/** The status of a WebSocket handshake. */
export async function handshake(target: Target, path: string): Promise<number> {
  using client = await connectRaw({ ...target, tls: TLS });
  const offer = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13'];
  const key = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='];
  await client.send(formatRequest(path, { headers: ['Host', HOST, ...offer, ...key] }));
  return (await client.head()).status;
}

/** The statuses of so many POST requests, one after the other, as fast as they go: over one connection while it is kept. */
export async function statusesOf(target: Target, path: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < count) {
    using client = await connectRaw({ ...target, tls: TLS });
    for (let kept = true; kept && statuses.length < count; ) {
      await client.send(formatRequest(path, { method: 'POST', headers: ['Host', HOST], body: '' }));
      const { status, headers } = await client.answer('POST');
      statuses.push(status);
      kept = value(headers, 'connection')?.toLowerCase() !== 'close';
    }
  }
  return statuses;
}
