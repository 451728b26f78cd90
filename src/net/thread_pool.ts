/**
 * How many threads wait for what has no event of its own: names (getaddrinfo(3)), files, compression. Of libuv's four it
 * gives two to names, so that two name servers that say nothing hold up every other name for as long as they say it.
 *
 * A thread that waits costs a stack that is mostly not there (some 20 KiB). Their number is read from the environment
 * when the first of them is needed, so that it must be set before that. An operator's own choice holds.
 */
const THREADS = 16;

/** libuv never has more than half of its threads busy with names (`uv_getaddrinfo` is slow work). */
export const NAME_THREADS = THREADS / 2;

export function sizeThreadPool(env: Record<string, string | undefined>): void {
  env['UV_THREADPOOL_SIZE'] ??= String(THREADS);
}
