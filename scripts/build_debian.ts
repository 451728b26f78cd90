/**
 * Builds `fairlead_VERSION_ARCH.deb` in dist-debian/ (or in the folder that is named) with dpkg-deb: the single executable
 * with its own runtime, the systemd unit, man page, completions, and /etc/fairlead/fairlead.yaml as a conffile, which an upgrade leaves alone.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { COMMANDS } from '../src/cli/commands.ts';
import { completionScript } from '../src/cli/completion.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** Where each shell of Debian looks. */
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/fairlead',
  zsh: 'usr/share/zsh/vendor-completions/_fairlead',
  fish: 'usr/share/fish/vendor_completions.d/fairlead.fish',
} as const;
const UNIT = 'examples/deploy/fairlead.service';

/** What systemd does with a unit that comes, changes or goes; nothing where the machine does not run systemd. */
const POST_INSTALL = `#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  if systemctl is-active --quiet fairlead.service; then systemctl restart fairlead.service; fi
fi
`;
const PRE_REMOVE = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now fairlead.service; fi
`;
const POST_REMOVE = `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
`;

function control(version: string, architecture: string, kilobytes: number): string {
  return `Package: fairlead
Version: ${version}
Architecture: ${architecture}
Maintainer: The Fairlead authors <fairlead@localhost>
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libstdc++6, libatomic1
Section: httpd
Priority: optional
Description: reverse proxy for HTTP/1.1, HTTP/2 and WebSocket
 One process, one YAML file. Routes, balances, health-checks, retries, limits and
 measures; changes or stops without dropping a request. Every response can be
 explained.
`;
}

/** The unit of the checkout, for a program that brings its runtime. */
function unit(): string {
  const text = readFileSync(join(ROOT, UNIT), 'utf8');
  const start = 'ExecStart=/usr/bin/fairlead run --config /etc/fairlead/fairlead.yaml';
  return text
    .replace(/^ExecStart=.*$/m, start)
    .replace(/^# Fairlead under systemd\. Needs .*$/m, '# Fairlead under systemd.');
}

function put(tree: string, path: string, text: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
  chmodSync(join(tree, path), mode);
}

function buildDebian(target: string): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`there is no Debian architecture for ${process.arch} here`);
  const tree = join(target, 'tree');
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  const executable = join(target, 'executable');
  if (!existsSync(join(executable, 'fairlead')))
    execFileSync(process.execPath, ['scripts/build_executable.ts', executable], { cwd: ROOT });
  cpSync(join(executable, 'fairlead'), join(tree, 'usr/bin/fairlead'));
  put(tree, 'usr/lib/systemd/system/fairlead.service', unit());
  // Not enabled: to use them, enable them and set the addresses of the listeners to fd:http and fd:https.
  for (const socket of ['fairlead.socket', 'fairlead-https.socket'])
    put(
      tree,
      `usr/lib/systemd/system/${socket}`,
      readFileSync(join(ROOT, 'examples/deploy', socket), 'utf8'),
    );
  for (const dropIn of ['notify-reload.conf', 'socket-activation.conf'])
    put(
      tree,
      `usr/share/doc/fairlead/drop-in/${dropIn}`,
      readFileSync(join(ROOT, 'examples/deploy/drop-in', dropIn), 'utf8'),
    );
  put(
    tree,
    'etc/fairlead/fairlead.yaml',
    readFileSync(join(ROOT, 'examples/deploy/debian/fairlead.yaml'), 'utf8'),
  );
  for (const page of ['configuration', 'operations', 'reasons', 'timeouts', 'load-balancers'])
    put(tree, `usr/share/doc/fairlead/${page}.md`, readFileSync(join(ROOT, `docs/${page}.md`), 'utf8'));
  const page = gzipSync(readFileSync(join(ROOT, 'man/fairlead.1')), { level: 9 });
  put(tree, 'usr/share/man/man1/fairlead.1.gz', page);
  put(
    tree,
    'usr/share/fairlead/fairlead.schema.json',
    readFileSync(join(ROOT, 'fairlead.schema.json'), 'utf8'),
  );
  for (const [shell, file] of Object.entries(COMPLETIONS))
    put(tree, file, completionScript(shell as keyof typeof COMPLETIONS, COMMANDS));
  const licenses = [join(ROOT, 'LICENSE'), join(executable, 'licenses.txt')];
  put(tree, 'usr/share/doc/fairlead/copyright', licenses.map(file => readFileSync(file, 'utf8')).join('\n'));
  const kilobytes = Number(execFileSync('du', ['-sk', tree], { encoding: 'utf8' }).split('\t')[0]);
  put(tree, 'DEBIAN/control', control(version, architecture, kilobytes));
  put(tree, 'DEBIAN/conffiles', '/etc/fairlead/fairlead.yaml\n');
  put(tree, 'DEBIAN/postinst', POST_INSTALL, 0o755);
  put(tree, 'DEBIAN/prerm', PRE_REMOVE, 0o755);
  put(tree, 'DEBIAN/postrm', POST_REMOVE, 0o755);
  const file = join(target, `fairlead_${version}_${architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '--build', tree, file]);
  rmSync(tree, { recursive: true });
  return file;
}

console.log(buildDebian(resolve(process.argv[2] ?? join(ROOT, 'dist-debian'))));
