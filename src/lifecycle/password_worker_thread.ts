/** Starts the thread that checks passwords. */
import type { StartPasswordWorker } from '../security/password_checks.ts';
import { startThread } from './worker_thread.ts';

/** It keeps nothing, and the memory in which argon2 and scrypt work is not on its heap. */
const LIMITS = { maxOldGenerationSizeMb: 64 };

export const startPasswordWorker: StartPasswordWorker = (onAnswer, onDeath) => {
  const worker = startThread('security/password_worker', { resourceLimits: LIMITS });
  worker.unref(); // the requests that wait for an answer keep the process alive
  worker.on('message', onAnswer);
  worker.on('error', ignore); // 'exit' follows
  worker.on('exit', onDeath);
  return {
    ask: (passwordHash, password) => worker.postMessage({ passwordHash, password }),
    close: () => {
      worker.off('message', onAnswer).off('exit', onDeath);
      void worker.terminate();
    },
  };
};

function ignore(): void {}
