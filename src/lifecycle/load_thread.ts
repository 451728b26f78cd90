/**
 * Loads the configuration for a reload without holding up the traffic: a small file here, in a few milliseconds, a large
 * one in a thread of its own, which would take seconds here.
 */
import { statSync } from 'node:fs';
import { type LoadPiece, ReceivedPieces } from '../config/load_pieces.ts';
import type { LoadOrder } from '../config/load_worker.ts';
import { type Environment, type LoadResult, loadConfig } from '../config/loader.ts';
import { startThread } from './worker_thread.ts';

/** Loading takes about 2 ms for each KiB; a thread takes 100 to 300 ms to start. */
const LOADED_HERE_BYTES_MAX = 16 * 1_024;

/** Rejects only for a defect of ours, or for want of memory. */
export function loadForReload(file: string, env: Environment): Promise<LoadResult> {
  return isSmall(file) ? Promise.resolve(loadConfig(file, env)) : loadInThread(file, env);
}

function isSmall(file: string): boolean {
  try {
    return statSync(file).size <= LOADED_HERE_BYTES_MAX;
  } catch {
    return true; // the loader says what is wrong with the file
  }
}

export function loadInThread(file: string, env: Environment): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const worker = startThread('config/load_worker', { workerData: { file, env } satisfies LoadOrder });
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
