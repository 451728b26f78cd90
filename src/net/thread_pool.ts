/**
 * Size of libuv's thread pool, which serves name lookups (getaddrinfo(3)), files and compression. libuv uses at most half of
 * it for names: of its default of four threads, two silent name servers would block every other name.
 *
 * A waiting thread costs little memory (about 20 KiB of its stack are in use). libuv reads the size from the environment
 * when it first needs a thread, so it must be set before. A size that an operator has set is kept.
 */
const THREADS = 16;

/** libuv never uses more than half of its threads for names (`uv_getaddrinfo` is slow work). */
export const NAME_THREADS = THREADS / 2;

export function sizeThreadPool(env: Record<string, string | undefined>): void {
  env['UV_THREADPOOL_SIZE'] ??= String(THREADS);
}
