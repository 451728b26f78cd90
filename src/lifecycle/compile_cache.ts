/**
 * Keeps what V8 has compiled, and the source without its types, for the next start: Node's compile cache.
 *
 * Whoever can write these files decides what code runs, so Node's default folder in the shared /tmp is not used: the cache
 * is in a folder that belongs to this user alone, or there is none. $NODE_COMPILE_CACHE and $NODE_DISABLE_COMPILE_CACHE
 * are Node's own and win. There is one file for each module and version of Node; a newer one replaces it. The folder may
 * be deleted at any time.
 */
import { mkdirSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { isSea } from 'node:sea';

type Environment = Readonly<Record<string, string | undefined>>;

const WRITABLE_BY_OTHERS = 0o022;

/** Never fails: without a usable folder the start is only slower. */
export function keepCompiled(env: Environment): void {
  // The single executable is one module inside itself, for which Node keeps no cache.
  if (isSea() || env['NODE_COMPILE_CACHE'] || env['NODE_DISABLE_COMPILE_CACHE']) return;
  const folder = cacheFolder(env);
  if (folder !== null && isOwn(folder)) enableCompileCache({ directory: folder });
}

/** That of systemd (`CacheDirectory=`), or the user's (XDG Base Directory Specification); null: there is none. */
export function cacheFolder(env: Environment): string | null {
  const [ofService] = (env['CACHE_DIRECTORY'] ?? '').split(':');
  if (ofService) return isAbsolute(ofService) ? join(ofService, 'compiled') : null;
  const ofUser = env['XDG_CACHE_HOME'] || (env['HOME'] ? join(env['HOME'], '.cache') : '');
  return isAbsolute(ofUser) ? join(ofUser, 'fairlead', 'compiled') : null;
}

/** Creates the folder if need be. False: it cannot be created, belongs to somebody else, or others may write to it. */
function isOwn(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    return uid === process.getuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
  } catch {
    return false;
  }
}
