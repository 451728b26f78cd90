/**
 * A network of its own for a program: nothing but a loopback, with settings of the kernel that are not those of the
 * machine. Needs `unshare` and `python3`, and the right to make user namespaces (or root).
 */
import { spawn, spawnSync } from 'node:child_process';
import { needs, program } from './programs.ts';

/** Brings the loopback up (SIOCSIFFLAGS), writes the settings, and becomes the program. */
const ENTER = `
import fcntl, json, os, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14s', b'lo', 0x49, b''))
for name, value in json.loads(sys.argv[1]).items():
    open('/proc/sys/' + name.replace('.', '/'), 'w').write(value)
os.execv(sys.argv[2], sys.argv[2:])
`;

type KernelSettings = Readonly<Record<string, string>>;

function commandFor(settings: KernelSettings, command: readonly string[]): [string, string[]] {
  const entered = [program('python3'), '-c', ENTER, JSON.stringify(settings), ...command];
  return [program('unshare'), ['--net', '--map-root-user', ...entered]];
}

/** Options of a test that runs a program in a network with these settings. */
export function needsOwnNetwork(settings: KernelSettings): { readonly skip: string | false } {
  const programs = needs('unshare', 'python3');
  if (programs.skip !== false) return programs;
  const [command, args] = commandFor(settings, ['/bin/true']);
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return { skip: false };
  if (process.env.FAIRLEAD_REQUIRE_ALL === '1')
    throw new Error(`no network of its own can be made: ${stderr}`);
  return { skip: `no network of its own can be made here: ${stderr.trim().split('\n').at(-1)}` };
}

/** Runs a file of ours there; resolves to what it has printed. */
export async function runInOwnNetwork(settings: KernelSettings, file: string): Promise<string> {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', file];
  const [command, args] = commandFor(settings, node);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', chunk => {
    printed += chunk;
  });
  const code = await new Promise(resolve => child.once('close', resolve));
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${printed}`);
  return printed;
}
