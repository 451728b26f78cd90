/**
 * The thread that loads a configuration, and ends when all of it is handed over. Each piece is sent when the receiver asks
 * for it, so that each arrives in a turn of its own.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type LoadOrder, type LoadPiece, load, piecesOf } from './load_pieces.ts';

if (parentPort !== null) {
  const port = parentPort;
  const pieces = piecesOf(load(workerData as LoadOrder));
  const send = (): void => {
    const { value } = pieces.next();
    port.postMessage((value ?? null) satisfies LoadPiece | null);
    if (value === undefined) port.close();
  };
  port.on('message', send);
  send();
}
