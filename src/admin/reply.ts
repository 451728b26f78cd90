/** The error response of the admin API: JSON with one sentence. */
import type { FastifyReply } from 'fastify';

export function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.status(status).send({ error });
}
