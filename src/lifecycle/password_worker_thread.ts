/**
 * Starts the thread that checks passwords. Its code is a module beside this one in a checkout and in a package; the single
 * executable has no files, and carries it as text.
 */
import { getAsset, isSea } from 'node:sea';
import { Worker } from 'node:worker_threads';
import type { StartPasswordWorker } from '../security/password_checks.ts';

/** `scripts/build_executable.ts` puts it in. */
export const PASSWORD_WORKER_ASSET = 'password_worker.cjs';
/** It keeps nothing; what argon2 and scrypt work in is not on its heap. */
const LIMITS = { maxOldGenerationSizeMb: 64 };

export const startPasswordWorker: StartPasswordWorker = (onAnswer, onDeath) => {
  const worker = isSea()
    ? new Worker(getAsset(PASSWORD_WORKER_ASSET, 'utf8'), { eval: true, resourceLimits: LIMITS })
    : new Worker(moduleUrl(), { resourceLimits: LIMITS });
  worker.unref(); // whoever waits for an answer keeps the process alive
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

function moduleUrl(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`../security/password_worker.${ending}`, import.meta.url);
}

function ignore(): void {}
