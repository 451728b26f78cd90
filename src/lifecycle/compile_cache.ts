/**
 * Keeps what V8 has compiled, and the source without its types, for the next start: Node's compile cache.
 *
 * Whoever can write these files, or put others in their place, decides what code runs. So Node's default folder in the shared
 * /tmp is not used: the cache is in a folder that only this user can change, or there is none. Under sudo the home folder may
 * still be that of the person: root keeps nothing there. $NODE_COMPILE_CACHE and $NODE_DISABLE_COMPILE_CACHE
 * are Node's own and win. There is one file for each module and version of Node; a newer one replaces it. The folder may
 * be deleted at any time.
 */
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { isSea } from 'node:sea';

type Environment = Readonly<Record<string, string | undefined>>;

const ROOT_UID = 0;
const WRITABLE_BY_OTHERS = 0o022;
/** In such a folder, as /tmp is, only the owner of an entry can replace it. */
const STICKY = 0o1000;

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

/** Creates the folder if need be. False: it cannot be created, or somebody else could change what is in it. */
function isOwn(folder: string): boolean {
  try {
    if (!isSafePath(realpathSync(existing(folder)))) return false; // before anything is created there
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    return uid === process.getuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
  } catch {
    return false;
  }
}

/** The folder itself, or the nearest one above it that exists. */
function existing(folder: string): string {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found !== undefined || folder === dirname(folder) ? folder : existing(dirname(folder));
}

/** Whether nobody but this user and root can replace `folder`, or a folder above it. `folder` has no symbolic links. */
function isSafePath(folder: string): boolean {
  const { uid, mode } = statSync(folder);
  const isOurs = uid === ROOT_UID || uid === process.getuid?.();
  const isFixed = (mode & WRITABLE_BY_OTHERS) === 0 || (mode & STICKY) !== 0;
  return isOurs && isFixed && (folder === dirname(folder) || isSafePath(dirname(folder)));
}
