/** Responses of the admin API that are no data: an error as JSON with one sentence, and a page. */
import { randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';

export function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.status(status).send({ error });
}

/** The name by which a page allows its own style and script, and no other: new for each page. */
export function createNonce(): string {
  return randomBytes(16).toString('base64');
}

/** With headers for browsers: a page of this API runs and shows nothing from elsewhere. */
export function sendPage(reply: FastifyReply, page: string, nonce: string): FastifyReply {
  const policy = [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "connect-src 'self'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  return (
    reply
      .header('content-security-policy', policy)
      .header('cache-control', 'no-store')
      .header('x-content-type-options', 'nosniff')
      // With `no-referrer` a browser would send `Origin: null` with the form of a button, and the guard would refuse it.
      .header('referrer-policy', 'same-origin')
      .type('text/html; charset=utf-8')
      .send(page)
  );
}
