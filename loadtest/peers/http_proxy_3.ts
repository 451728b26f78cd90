/** http-proxy-3 with an agent that keeps connections; without one it opens a connection for each request. */
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { announcePort, backendPort, listenOnLoopback } from '../announce.ts';

const proxy = createProxyServer({
  target: `http://127.0.0.1:${backendPort()}`,
  agent: new Agent({ keepAlive: true, maxFreeSockets: 1_024 }),
});
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response && !response.headersSent) response.writeHead(502);
  response.end();
});
const server = createServer((request, response) => {
  proxy.web(request, response);
});
announcePort(await listenOnLoopback(server));
