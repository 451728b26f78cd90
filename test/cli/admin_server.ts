/** An admin API that answers what a test wants, and notes what it was asked. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
  readonly host: string;
  readonly body: string;
}

export interface AdminServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  readonly asked: Asked[];
}

export async function startAdmin(
  status: number,
  body: unknown,
  place: { readonly path?: string } = {},
): Promise<AdminServer> {
  const asked: Asked[] = [];
  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { method = '', url = '', headers } = request;
    asked.push({
      method,
      url,
      authorization: headers.authorization ?? null,
      host: headers.host ?? '',
      body: text,
    });
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  if (place.path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(place.path);
  await once(server, 'listening');
  const port = place.path === undefined ? (server.address() as AddressInfo).port : 0;
  return {
    address: place.path === undefined ? `127.0.0.1:${port}` : `unix:${place.path}`,
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
