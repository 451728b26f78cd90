/** @fastify/http-proxy on fastify, as shipped: nothing set but the upstream. */
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { announcePort, backendPort, portOf } from '../announce.ts';

const app = fastify({ logger: false });
await app.register(httpProxy, { upstream: `http://127.0.0.1:${backendPort()}` });
await app.listen({ host: '127.0.0.1', port: 0 });
announcePort(portOf(app.server));
