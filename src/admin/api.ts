/**
 * The admin API: probes, metrics, status, plan and decision records; reload, rollback, drain, log level and endpoints. On
 * Fastify, on a port or socket of its own, so that it works while traffic is being drained.
 *
 * A Unix socket belongs to the user of the process alone. `guard.ts` decides who else may use the API.
 */
import { chmodSync } from 'node:fs';
import Fastify, { type FastifyInstance } from 'fastify';
import type { DrainResult } from '../lifecycle/shutdown.ts';
import { removeStaleSocket } from '../net/bind.ts';
import type { Clock } from '../resilience/clock.ts';
import { actions } from './action_routes.ts';
import type { AdminActions, AdminAddress, AdminView } from './admin_interfaces.ts';
import { DrainStream } from './drain_stream.ts';
import { guard } from './guard.ts';
import { reasonPages } from './reason_pages.ts';
import { NOT_KEPT } from './record_page.ts';
import { createNonce, refuse, sendPage } from './reply.ts';
import { StatusStream } from './status_stream.ts';

const BODY_BYTES_MAX = 64 * 1_024;
/** Maximum of connections to the admin API, which serves people and scrapers, not traffic. */
const CONNECTIONS_MAX = 256;
const REQUEST_MS = 10_000;
const SOCKET_MODE = 0o600;

/** Listens until the returned function is called. Rejects if the address cannot be bound. */
export async function openAdminApi(
  address: AdminAddress,
  token: string | null,
  clock: Clock,
  view: AdminView,
  process: AdminActions,
): Promise<{ address: string; close: (result: DrainResult) => Promise<void> }> {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  // A body is JSON or empty, whatever its content type says: `curl -d ''` declares a form.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  guard(app, address, token);
  reads(app, view);
  reasonPages(app);
  const stream = pages(app, view, clock);
  const drain = new DrainStream(() => view.drainView(), clock);
  app.get('/drain/progress', (_request, reply) => {
    if (drain.add(reply.raw)) reply.hijack();
    else refuse(reply, 503, 'too many watch the drain');
  });
  actions(app, process);
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  const shown = await app.listen(
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
  );
  if (address.kind === 'unix') chmodSync(address.path, SOCKET_MODE);
  return {
    address: shown.replace(/^http:\/\//, ''),
    close: result => {
      stream.close();
      drain.close(result);
      return app.close();
    },
  };
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
    if (request.headers.accept?.includes('text/html') === true) {
      const nonce = createNonce();
      return sendPage(reply.status(found === null ? 404 : 200), view.recordPage(id, nonce), nonce);
    }
    return found === null ? refuse(reply, 404, NOT_KEPT) : reply.send(found);
  });
  app.get('/explain', async (request, reply) => {
    const explained = view.explain(request.query as Record<string, unknown>);
    return reply.status('error' in explained ? 400 : 200).send(explained);
  });
}

function pages(app: FastifyInstance, view: AdminView, clock: Clock): StatusStream {
  const stream = new StatusStream(() => view.page(), clock);
  app.get('/', async (_request, reply) => {
    const nonce = createNonce();
    return sendPage(reply, stream.open(nonce), nonce);
  });
  app.get('/status/events', (request, reply) => {
    const { frame } = request.query as Record<string, unknown>;
    const known = request.headers['last-event-id'] ?? frame;
    if (stream.add(reply.raw, typeof known === 'string' ? known : null)) reply.hijack();
    else refuse(reply, 503, 'too many status page viewers');
  });
  return stream;
}
