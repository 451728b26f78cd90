/**
 * The admin API: probes, metrics, status and plan for reading; reload and drain for acting. On Fastify, on a port
 * or socket of its own, so that it answers while traffic is being drained.
 *
 * A browser on this machine must not become a way in: a request whose `Host` is not the admin address is refused
 * with 421 (DNS rebinding), and one that carries a foreign `Origin` with 403; a page on another port of this machine
 * is foreign too. A Unix socket belongs to the user of the process alone.
 */
import { chmodSync, statSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';

export type AdminAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reasons: readonly string[];
}

/** What the API shows and sets in motion; the process implements it. */
export interface AdminView {
  readiness(): Readiness;
  /** In the format that `accept` asks for. */
  metrics(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
  status(): unknown;
  /** Secrets masked. */
  plan(): unknown;
  explain(question: Readonly<Record<string, unknown>>): unknown;
  /** Decision records, newest first. */
  requests(query: Readonly<Record<string, unknown>>): unknown;
  /** One of them, or null when it is not kept. */
  request(id: string): unknown;
  reload(): Promise<{
    readonly kind: 'applied' | 'unchanged' | 'rejected';
    readonly digest: string;
    readonly problems?: readonly string[];
  }>;
  drain(): void;
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
  view: AdminView,
): Promise<{ address: string; close: () => Promise<void> }> {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  // No action takes a body yet: whatever comes is read and dropped, also the empty form that `curl -d ''` sends.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, null));
  guard(app, address);
  reads(app, view);
  actions(app, view);
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  const shown = await app.listen(
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
  );
  if (address.kind === 'unix') chmodSync(address.path, SOCKET_MODE);
  return { address: shown.replace(/^http:\/\//, ''), close: () => app.close() };
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
      'there is nothing here; see /status, /metrics, /readyz, /livez, /plan, /requests, /explain',
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
    const found = view.request(id);
    return found === null ? refuse(reply, 404, NOT_KEPT) : reply.send(found);
  });
  app.get('/explain', async request => view.explain(request.query as Record<string, unknown>));
}

function actions(app: FastifyInstance, view: AdminView): void {
  app.post('/reload', async (_request, reply) => {
    const result = await view.reload();
    return reply.status(result.kind === 'rejected' ? 422 : 200).send(result);
  });
  app.post('/drain', async (_request, reply) => {
    view.drain();
    return reply.status(202).send({ draining: true });
  });
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.status(status).send({ error });
}

function hostname(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}
