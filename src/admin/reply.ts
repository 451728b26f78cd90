/** How the admin API says no: JSON with one sentence. */
import type { FastifyReply } from 'fastify';

export function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.status(status).send({ error });
}
