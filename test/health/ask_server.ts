/** Puts one question to a server on a connection of its own, as `probe` does, and keeps every word that came of it. */
import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import type { ProbeCallback } from '../../src/health/probe_settings.ts';

/** The first word, by which an endpoint is judged, as `[ok, cause]`. The server is closed afterwards. */
export async function firstWord(
  server: Server,
  ask: (socket: Socket, tell: ProbeCallback) => void,
  open: (port: number) => Socket = port => net.connect(port, '127.0.0.1'),
): Promise<readonly [ok: boolean, cause: string]> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = open((server.address() as AddressInfo).port);
  await once(socket, 'encrypted' in socket ? 'secureConnect' : 'connect');
  const word = await new Promise<readonly [boolean, string]>(resolve =>
    ask(socket, (ok, cause) => resolve([ok, cause])),
  );
  socket.destroy();
  server.close();
  await once(server, 'close');
  return word;
}
