/**
 * Who may use the admin API. A browser on this machine must not become a way in: a request whose `Host` is not the admin
 * address is refused with 421 (DNS rebinding), and one with a foreign `Origin` with 403; a page on another port of this
 * machine is foreign too. If a token is set, everything except the probes requires it. A request with the token may use any
 * name for this machine, because a page that tricks a browser does not have the token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AdminAddress } from './admin_interfaces.ts';
import { refuse } from './reply.ts';

const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The probes reveal little, and not every prober can send a token. */
const PROBES: ReadonlySet<string> = new Set(['/livez', '/readyz']);

export function guard(app: FastifyInstance, address: AdminAddress, token: string | null): void {
  const names = new Set(LOCAL_NAMES);
  if (address.kind === 'tcp') names.add(address.host.includes(':') ? `[${address.host}]` : address.host);
  const isRight = token === null ? () => false : rightToken(token);
  if (token !== null) askForToken(app, isRight);
  app.addHook('onRequest', async (request, reply) => {
    const { host = '', origin } = request.headers;
    const anyName = address.kind !== 'tcp' || isRight(request) || (token !== null && PROBES.has(request.url));
    if (!anyName && !names.has(hostname(host)))
      return refuse(reply, 421, 'the Host is not an address of the admin API');
    if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
      return refuse(reply, 403, 'requests from other origins are refused');
    return undefined;
  });
  app.setNotFoundHandler((_request, reply) =>
    refuse(
      reply,
      404,
      'not found; see /, /status, /metrics, /readyz, /livez, /plan, /requests, /explain, /reasons',
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

type IsRight = (request: FastifyRequest) => boolean;

/** Compares in constant time: both are hashed first, so that they have the same length. */
function rightToken(token: string): IsRight {
  const wanted = hash(token);
  return ({ headers }) => timingSafeEqual(hash(tokenOf(headers.authorization ?? '')), wanted);
}

function askForToken(app: FastifyInstance, isRight: IsRight): void {
  app.addHook('onRequest', async (request, reply) => {
    if (PROBES.has(request.url) || isRight(request)) return undefined;
    reply.header('www-authenticate', ['Bearer', 'Basic realm="fairlead", charset="UTF-8"']);
    return refuse(reply, 401, 'the token is missing or wrong');
  });
}

/** The token from a program as Bearer (RFC 6750), or from a browser as the password of Basic (RFC 7617). */
function tokenOf(authorization: string): string {
  const [scheme = '', value = ''] = authorization.split(' ');
  if (scheme.toLowerCase() === 'bearer') return value;
  const credentials = scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString() : '';
  return credentials.slice(credentials.indexOf(':') + 1);
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function hostname(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}
