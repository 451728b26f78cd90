/**
 * The actions of the admin API: POST with a JSON object or an empty body, for an endpoint also the form of the status page.
 * Every call, also a refused one, writes an audit line.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseDuration } from '../config/units.ts';
import type { ReloadResult } from '../lifecycle/reload.ts';
import { LOG_LEVELS } from '../observability/logging.ts';
import type { ActionResult, AdminActions } from './admin_interfaces.ts';
import { renderConfirmPage } from './confirm_page.ts';
import { createNonce, refuse, sendPage } from './reply.ts';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** The routes of a configuration of the largest size. */
const SHADOW_BYTES_MAX = 16 * 1_024 * 1_024;
const AUDITED_CHARACTERS_MAX = 200;
const LEVEL_MS_MAX = 24 * 3_600_000;

export function actions(app: FastifyInstance, process: AdminActions): void {
  const auditedRequests = new WeakSet<FastifyRequest>();
  const audited: Audited = (request, action, result) => {
    auditedRequests.add(request);
    process.audit({
      action,
      by: request.socket.remoteAddress ?? 'unix',
      userAgent: request.headers['user-agent'] ?? null,
      result,
    });
  };
  // Refused calls are audited too.
  app.addHook('onResponse', async (request, reply) => {
    if (READS.has(request.method) || auditedRequests.has(request)) return;
    const what = `${request.method} ${request.url}`.slice(0, AUDITED_CHARACTERS_MAX);
    audited(request, what, `refused ${reply.statusCode}`);
  });
  const reloaded = (request: FastifyRequest, reply: FastifyReply, action: string, result: ReloadResult) => {
    audited(request, action, result.kind);
    return reply.status(result.kind === 'rejected' ? 422 : 200).send(result);
  };
  const done: Done = (request, reply, action, result) => {
    audited(request, action, typeof result === 'string' ? result : result.done);
    return typeof result === 'string' ? refuse(reply, 422, result) : reply.send(result);
  };

  app.post('/reload', async (request, reply) => reloaded(request, reply, 'reload', await process.reload()));
  app.post('/rollback', async (request, reply) => {
    const digest = fieldsOf(request, ['digest'])['digest'] ?? null;
    const isDigest = digest === null || (typeof digest === 'string' && /^[0-9a-f]{4,64}$/.test(digest));
    if (!isDigest)
      return refuse(reply, 400, 'digest must be the beginning of a digest that /status shows (hexadecimal)');
    return reloaded(request, reply, 'rollback', await process.rollback(digest));
  });
  app.post('/drain', async (request, reply) => {
    audited(request, 'drain', 'begun');
    process.drain();
    return reply.status(202).send({ draining: true });
  });
  app.post('/log-level', async (request, reply) => {
    const { level, for: forText = '10m' } = fieldsOf(request, ['level', 'for']);
    const known = LOG_LEVELS.find(one => one === level);
    if (known === undefined) return refuse(reply, 400, `level must be one of ${LOG_LEVELS.join(', ')}`);
    const forMs = parseDuration(String(forText));
    if (typeof forMs === 'string' || forMs < 1_000 || forMs > LEVEL_MS_MAX)
      return refuse(reply, 400, 'for must be a duration such as 10m, from 1s to 24h');
    return done(request, reply, `log-level ${known} ${String(forText)}`, process.setLogLevel(known, forMs));
  });
  app.post('/shadow-check', { bodyLimit: SHADOW_BYTES_MAX }, async (request, reply) => {
    const result = await process.shadowCheck(fieldsOf(request, ['version', 'listeners', 'routes']));
    audited(request, 'shadow-check', typeof result === 'string' ? result : `${result.matched} requests`);
    return typeof result === 'string' ? refuse(reply, 422, result) : reply.send(result);
  });
  endpointAction(app, process, audited, done);
}

type Audited = (request: FastifyRequest, action: string, result: string) => void;
type Done = (
  request: FastifyRequest,
  reply: FastifyReply,
  action: string,
  result: ActionResult,
) => FastifyReply;

/** Draining an endpoint, and making it ready again: for programs, for the buttons of the page, and for those without scripts. */
function endpointAction(app: FastifyInstance, process: AdminActions, audited: Audited, done: Done): void {
  app.post('/clusters/:cluster/endpoints/:endpoint', async (request, reply) => {
    const { cluster, endpoint } = request.params as { cluster: string; endpoint: string };
    const form = formOf(request);
    const { action } = form ?? fieldsOf(request, ['action']);
    if (action !== 'drain' && action !== 'ready') return refuse(reply, 400, 'action must be drain or ready');
    const what = `${action} ${cluster} ${endpoint}`;
    const question = action === 'drain' ? process.drainQuestion(cluster, endpoint) : null;
    if (form !== null && form['confirmed'] !== 'yes' && question !== null) {
      audited(request, what, 'asked to confirm');
      if (!wantsPage(request)) return refuse(reply, 409, question);
      const nonce = createNonce();
      return sendPage(reply.status(409), renderConfirmPage(question, request.url, nonce), nonce);
    }
    const result = process.setEndpoint(cluster, endpoint, action);
    if (!wantsPage(request) || typeof result === 'string') return done(request, reply, what, result);
    audited(request, what, result.done);
    return reply.redirect(`/#cluster-${encodeURIComponent(cluster)}`, 303);
  });
}

/** A browser without scripts, which is shown what the answer is. */
function wantsPage(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') === true;
}

/** The fields of a form of the status page; null: the body is something else. `curl -d '{}'` declares a form as well. */
function formOf(request: FastifyRequest): Record<string, unknown> | null {
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const text = typeof request.body === 'string' ? request.body : '';
  return isForm && text.startsWith('action=') ? Object.fromEntries(new URLSearchParams(text)) : null;
}

/** Reads the JSON object in the body; an empty body has no keys. Throws 400 for anything else. */
function fieldsOf(request: FastifyRequest, known: readonly string[]): Record<string, unknown> {
  const text = typeof request.body === 'string' ? request.body.trim() : '';
  const fields: unknown = text === '' ? {} : parseJson(text);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw badRequest('the body must be a JSON object, or empty');
  const unknown = Object.keys(fields).find(key => !known.includes(key));
  if (unknown !== undefined) throw badRequest(`unknown key "${unknown}"; known keys: ${known.join(', ')}`);
  return fields as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

function badRequest(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 400 });
}
