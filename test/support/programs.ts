/**
 * Programs that some tests need and a machine may lack.
 *
 * A test that needs one says so: `test('…', needs('nginx'), async () => { … })`. Where it is missing the test is
 * skipped, visibly; with FAIRLEAD_REQUIRE_ALL=1, which .ci/run sets, it fails instead.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The Debian package of each; .ci/run installs them. */
export const PROGRAMS = {
  chromium: 'chromium',
  curl: 'curl',
  fish: 'fish',
  h2load: 'nghttp2-client',
  haproxy: 'haproxy',
  htpasswd: 'apache2-utils',
  man: 'man-db',
  nginx: 'nginx-light',
  openssl: 'openssl',
  promtool: 'prometheus',
  python3: 'python3',
  'redis-server': 'redis-server',
  script: 'bsdutils',
  'systemd-analyze': 'systemd',
  testssl: 'testssl.sh',
  unshare: 'util-linux',
  zsh: 'zsh',
} as const;

export type Program = keyof typeof PROGRAMS;

/** Where nginx is on Debian; not in the path of a person who is not root. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export function findProgram(name: string, path = process.env.PATH ?? ''): string | null {
  for (const folder of [...path.split(delimiter), ...MORE_FOLDERS]) {
    if (folder === '') continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  return null;
}

/** The full path of a program that `needs` has asked for. */
export function program(name: Program): string {
  const file = findProgram(name);
  if (file === null) throw new Error(`${name} is not installed: begin the test with needs('${name}')`);
  return file;
}

/** Options of a test that cannot do without these programs. */
export function needs(...names: readonly Program[]): { readonly skip: string | false } {
  return decideSkip(
    names.filter(name => findProgram(name) === null),
    process.env.FAIRLEAD_REQUIRE_ALL === '1',
  );
}

export function decideSkip(
  missing: readonly Program[],
  requireAll: boolean,
): { readonly skip: string | false } {
  if (missing.length === 0) return { skip: false };
  const what = missing.map(name => `${name} (Debian package ${PROGRAMS[name]})`).join(', ');
  if (requireAll) throw new Error(`FAIRLEAD_REQUIRE_ALL=1, but not installed: ${what}`);
  return { skip: `not installed: ${what}` };
}
