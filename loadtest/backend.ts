/** The backend that all peers forward to: 1 KiB and a few realistic headers, as fast as node:http allows. */
import { createServer } from 'node:http';
import { announcePort, listenOnLoopback } from './announce.ts';

const BODY = Buffer.from(`${'{"id":"0123456789abcdef","state":"ok"},'.repeat(30)}`.slice(0, 1024));
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'content-length': String(BODY.length),
  'cache-control': 'private, max-age=0',
  etag: '"5d8c72a5edda8d6a"',
  vary: 'accept-encoding',
  'x-request-cost': '3',
};

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  request.resume();
  response.writeHead(200, HEADERS);
  response.end(BODY);
});

announcePort(await listenOnLoopback(server));
