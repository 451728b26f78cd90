/**
 * The admin API: probes, metrics, status, plan and decision records for reading; reload, rollback, drain, log level and
 * endpoints for acting. On Fastify, on a port
 * or socket of its own, so that it answers while traffic is being drained.
 *
 * A browser on this machine must not become a way in: a request whose `Host` is not the admin address is refused
 * with 421 (DNS rebinding), and one that carries a foreign `Origin` with 403; a page on another port of this machine
 * is foreign too. A Unix socket belongs to the user of the process alone.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, statSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

import type { Clock } from '../resilience/clock.ts';
import { html } from './html.ts';
import { StatusStream } from './status_stream.ts';

export type AdminAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reasons: readonly string[];
}

export interface Reloaded {
  readonly kind: 'applied' | 'unchanged' | 'rejected';
  readonly digest: string;
  readonly problems?: readonly string[];
}

/** A text is the reason why not. */
export type Done = { readonly done: string; readonly warning?: string } | string;

export interface AuditEntry {
  readonly action: string;
  readonly by: string;
  readonly userAgent: string | null;
  readonly result: string;
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** What the API shows and sets in motion; the process implements it. */
export interface AdminView {
  readiness(): Readiness;
  /** In the format that `accept` asks for. */
  metrics(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
  status(): unknown;
  /** The status page; `nonce` lets its style and script run. */
  page(nonce: string): string;
  /** The part of it that changes. */
  livePart(): string;
  /** Secrets masked. */
  plan(): unknown;
  explain(question: Readonly<Record<string, unknown>>): unknown;
  /** Decision records, newest first. */
  requests(query: Readonly<Record<string, unknown>>): unknown;
  /** One of them, or null when it is not kept. */
  request(id: string): unknown;
  /** The same in words. */
  requestText(id: string): string | null;
  reload(): Promise<Reloaded>;
  /** Null: to the plan before the running one. */
  rollback(digest: string | null): Promise<Reloaded>;
  drain(): void;
  setLogLevel(level: LogLevel, forMs: number): Done;
  setEndpoint(cluster: string, endpoint: string, action: 'drain' | 'ready'): Done;
  /** Each call that changes something, or tries to. */
  audit(entry: AuditEntry): void;
}

const BODY_BYTES_MAX = 64 * 1_024;
/** For people and scrapers, not for traffic. */
const CONNECTIONS_MAX = 256;
const REQUEST_MS = 10_000;
const NOT_KEPT =
  'no record of this request: failures are kept, of successes one a second, the last 500 in all; X-Fairlead-Explain: 1 records any';
const SOCKET_MODE = 0o600;
const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Listens until the function it returns is called; rejects when the address cannot be had. */
export async function openAdminApi(
  address: AdminAddress,
  token: string | null,
  clock: Clock,
  view: AdminView,
): Promise<{ address: string; close: () => Promise<void> }> {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  // Whatever it is called, a body is JSON or empty: `curl -d ''` says that it sends a form.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  guard(app, address);
  if (token !== null) askForToken(app, token);
  reads(app, view);
  const stream = pages(app, view, clock);
  actions(app, view);
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  const shown = await app.listen(
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
  );
  if (address.kind === 'unix') chmodSync(address.path, SOCKET_MODE);
  return {
    address: shown.replace(/^http:\/\//, ''),
    close: () => {
      stream.close();
      return app.close();
    },
  };
}

/** One that a process which is no more has left behind. Anything else in the way stays, and `listen` says so. */
async function removeStaleSocket(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isStale = await new Promise<boolean>(resolve => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', error => resolve('code' in error && error.code === 'ECONNREFUSED'));
  });
  if (isStale) unlinkSync(path);
}

function guard(app: FastifyInstance, address: AdminAddress): void {
  const names = new Set(LOCAL_NAMES);
  if (address.kind === 'tcp') names.add(address.host.includes(':') ? `[${address.host}]` : address.host);
  app.addHook('onRequest', async (request, reply) => {
    const { host = '', origin } = request.headers;
    if (address.kind === 'tcp' && !names.has(hostname(host)))
      return refuse(reply, 421, 'the Host is not that of the admin API');
    if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
      return refuse(reply, 403, 'requests from other origins are refused');
    return undefined;
  });
  app.setNotFoundHandler((_request, reply) =>
    refuse(
      reply,
      404,
      'there is nothing here; see /, /status, /metrics, /readyz, /livez, /plan, /requests, /explain',
    ),
  );
  app.setErrorHandler((error, _request, reply) => {
    const status =
      error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
        ? error.statusCode
        : 500;
    return refuse(reply, status, error instanceof Error ? error.message : 'unknown error');
  });
}

function reads(app: FastifyInstance, view: AdminView): void {
  app.get('/livez', async (_request, reply) => reply.type('text/plain').send('alive\n'));
  app.get('/readyz', async (_request, reply) => {
    const readiness = view.readiness();
    return reply.status(readiness.ready ? 200 : 503).send(readiness);
  });
  app.get('/metrics', async (request, reply) => {
    const { contentType, text } = await view.metrics(request.headers.accept ?? '');
    return reply.header('content-type', contentType).send(text);
  });
  app.get('/status', async () => view.status());
  app.get('/plan', async () => view.plan());
  app.get('/requests', async request => view.requests(request.query as Record<string, unknown>));
  app.get('/requests/:id', async (request, reply) => {
    const { id } = request.params as { id: string };
    if (request.headers.accept?.includes('text/html') === true)
      return recordPage(reply, view.requestText(id));
    const found = view.request(id);
    return found === null ? refuse(reply, 404, NOT_KEPT) : reply.send(found);
  });
  app.get('/explain', async request => view.explain(request.query as Record<string, unknown>));
}

/** For a browser. No page of this API runs or shows anything that did not come with it. */
function pages(app: FastifyInstance, view: AdminView, clock: Clock): StatusStream {
  const stream = new StatusStream(() => view.livePart(), clock);
  app.get('/', async (_request, reply) => {
    const nonce = randomBytes(16).toString('base64');
    const policy = `style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'`;
    return sendPage(reply, view.page(nonce), policy);
  });
  app.get('/status/events', (_request, reply) => {
    if (stream.add(reply.raw)) reply.hijack();
    else refuse(reply, 503, 'too many look at the status page already');
  });
  return stream;
}

function recordPage(reply: FastifyReply, text: string | null): FastifyReply {
  const page = html`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Decision record</title><p><a href="/">Status</a></p><pre>${text ?? NOT_KEPT}</pre></html>`;
  return sendPage(reply.status(text === null ? 404 : 200), page.text, '');
}

function sendPage(reply: FastifyReply, page: string, policy: string): FastifyReply {
  const rest = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return reply
    .header('content-security-policy', `${rest}; ${policy}`)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .type('text/html; charset=utf-8')
    .send(page);
}

function actions(app: FastifyInstance, view: AdminView): void {
  const audited = (request: FastifyRequest, action: string, result: string): void =>
    view.audit({
      action,
      by: request.socket.remoteAddress ?? 'unix',
      userAgent: request.headers['user-agent'] ?? null,
      result,
    });
  const reloaded = (request: FastifyRequest, reply: FastifyReply, action: string, result: Reloaded) => {
    audited(request, action, result.kind);
    return reply.status(result.kind === 'rejected' ? 422 : 200).send(result);
  };
  const done = (request: FastifyRequest, reply: FastifyReply, action: string, result: Done) => {
    audited(request, action, typeof result === 'string' ? result : result.done);
    return typeof result === 'string' ? refuse(reply, 422, result) : reply.send(result);
  };

  app.post('/reload', async (request, reply) => reloaded(request, reply, 'reload', await view.reload()));
  app.post('/rollback', async (request, reply) => {
    const digest = fieldsOf(request, ['digest'])['digest'] ?? null;
    const isDigest = digest === null || (typeof digest === 'string' && /^[0-9a-f]{4,64}$/.test(digest));
    if (!isDigest)
      return refuse(reply, 400, 'digest is the beginning of one that /status shows (hexadecimal)');
    return reloaded(request, reply, 'rollback', await view.rollback(digest));
  });
  app.post('/drain', async (request, reply) => {
    audited(request, 'drain', 'begun');
    view.drain();
    return reply.status(202).send({ draining: true });
  });
  app.post('/log-level', async (request, reply) => {
    const { level, for: forText = '10m' } = fieldsOf(request, ['level', 'for']);
    const known = LOG_LEVELS.find(one => one === level);
    if (known === undefined) return refuse(reply, 400, `level is one of ${LOG_LEVELS.join(', ')}`);
    const forMs = durationMs(forText);
    if (forMs === null) return refuse(reply, 400, 'for is a duration such as 10m, at most 24h');
    return done(request, reply, `log-level ${known} ${String(forText)}`, view.setLogLevel(known, forMs));
  });
  app.post('/clusters/:cluster/endpoints/:endpoint', async (request, reply) => {
    const { cluster, endpoint } = request.params as { cluster: string; endpoint: string };
    const { action } = fieldsOf(request, ['action']);
    if (action !== 'drain' && action !== 'ready') return refuse(reply, 400, 'action is drain or ready');
    return done(
      request,
      reply,
      `${action} ${cluster} ${endpoint}`,
      view.setEndpoint(cluster, endpoint, action),
    );
  });
}

/** The members of a JSON object that may be there; an empty body has none. */
function fieldsOf(request: FastifyRequest, known: readonly string[]): Record<string, unknown> {
  const text = typeof request.body === 'string' ? request.body.trim() : '';
  const fields: unknown = text === '' ? {} : parseJson(text);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw badRequest('the body is a JSON object, or empty');
  const unknown = Object.keys(fields).find(key => !known.includes(key));
  if (unknown !== undefined) throw badRequest(`unknown "${unknown}"; there is ${known.join(' and ')}`);
  return fields as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is no JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

function badRequest(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 400 });
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const LEVEL_MS_MAX = 24 * 3_600_000;

function durationMs(text: unknown): number | null {
  const [, number, unit = ''] = /^(\d{1,6})([smh])$/.exec(String(text)) ?? [];
  const ms = Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  return ms > 0 && ms <= LEVEL_MS_MAX ? ms : null;
}

/** Compared in a time that says nothing: both are hashed first, so that they have one length. */
function askForToken(app: FastifyInstance, token: string): void {
  const wanted = hash(token);
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/livez' || request.url === '/readyz') return undefined;
    if (timingSafeEqual(hash(tokenOf(request.headers.authorization ?? '')), wanted)) return undefined;
    reply.header('www-authenticate', ['Bearer', 'Basic realm="fairlead", charset="UTF-8"']);
    return refuse(reply, 401, 'the token is missing or wrong');
  });
}

/** From a program as Bearer (RFC 6750); from a browser, which asks a person, as the password of Basic (RFC 7617). */
function tokenOf(authorization: string): string {
  const [scheme = '', value = ''] = authorization.split(' ');
  if (scheme.toLowerCase() === 'bearer') return value;
  const credentials = scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString() : '';
  return credentials.slice(credentials.indexOf(':') + 1);
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.status(status).send({ error });
}

function hostname(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}
