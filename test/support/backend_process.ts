/** Starts `backend_program.ts`: a backend that a test can kill, freeze and bring back on the same port. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { AdminViews, Mode } from './backend_program.ts';

const PROGRAM = fileURLToPath(new URL('backend_program.ts', import.meta.url));

export class BackendProcess implements AsyncDisposable {
  readonly port: number;
  #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(): Promise<BackendProcess> {
    const port = await freePort();
    return new BackendProcess(port, await launch(port));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  behave(mode: Mode): void {
    this.#child.send({ mode });
  }
  async report(): Promise<AdminViews> {
    this.#child.send('report');
    const [report] = (await once(this.#child, 'message')) as [AdminViews];
    return report;
  }
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }
  thaw(): void {
    this.#child.kill('SIGCONT');
  }
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
  /** On the same port again, listening, but it accepts nothing: one connection fits into the queue of the kernel. */
  async comeBackDeaf(): Promise<void> {
    await this.kill();
    this.#child = await launch(this.port, 1);
    this.freeze();
  }
  /** What it answers with. */
  get pid(): string {
    return String(this.#child.pid);
  }
  /** Another process on the same port, well again. */
  async comeBack(): Promise<void> {
    await this.kill();
    this.#child = await launch(this.port);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

async function launch(port: number, backlog = 511): Promise<ChildProcess> {
  const child = fork(PROGRAM, [String(port), String(backlog)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  await once(child, 'message');
  return child;
}

/** Nobody listens there; and nobody will, as long as nobody asks for exactly this port. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
