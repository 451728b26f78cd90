/**
 * Loads the configuration for a reload without holding up the traffic: a small file here, in a few milliseconds, a large
 * one in a thread of its own, which would take seconds here.
 */
import { statSync } from 'node:fs';
import { type LoadOrder, type LoadPiece, load, ReceivedPieces } from '../config/load_pieces.ts';
import type { LoadResult } from '../config/loader.ts';
import { startThread } from './worker_thread.ts';

/** Loading takes about 2 ms for each KiB; a thread takes 100 to 300 ms to start. */
const LOADED_HERE_BYTES_MAX = 16 * 1_024;

/** Rejects only for a bug, or for lack of memory. */
export function loadForReload(order: LoadOrder): Promise<LoadResult> {
  return isSmall(order) ? Promise.resolve(load(order)) : loadInThread(order);
}

function isSmall({ file, text }: LoadOrder): boolean {
  if (text !== null) return text.source.length <= LOADED_HERE_BYTES_MAX;
  try {
    return statSync(file).size <= LOADED_HERE_BYTES_MAX;
  } catch {
    return true; // the loader reports what is wrong with the file
  }
}

export function loadInThread(order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const worker = startThread('config/load_worker', { workerData: order });
    const received = new ReceivedPieces();
    worker.once('error', reject);
    worker.once('exit', code =>
      reject(new Error(`the thread that loads the configuration ended with ${code}`)),
    );
    worker.on('message', (piece: LoadPiece | null) => {
      if (piece === null) return resolve(received.result);
      received.add(piece);
      worker.postMessage('next');
    });
    worker.unref(); // a process that ends does not wait for a reload
  });
}
