/** Responses of the admin API that are no data: an error as JSON with one sentence, and a page. */
import type { FastifyReply } from 'fastify';

export function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.status(status).send({ error });
}

/** With headers for browsers: a page of this API runs and shows nothing from elsewhere. */
export function sendPage(reply: FastifyReply, page: string, policy: string): FastifyReply {
  const rest = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return reply
    .header('content-security-policy', `${rest}; ${policy}`)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .type('text/html; charset=utf-8')
    .send(page);
}
