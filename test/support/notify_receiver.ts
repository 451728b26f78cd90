/** Hears what a process tells its service manager (sd_notify(3)). Node cannot receive datagrams on a Unix socket, so Python does. */
import { spawn } from 'node:child_process';
import { program } from './programs.ts';

const RECEIVE = `
import json, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1) if sys.argv[1].startswith('@') else sys.argv[1])
print(json.dumps(['bound', 0]), flush=True)
while True: print(json.dumps([s.recv(4096).decode(), time.monotonic()]), flush=True)
`;

export interface Notification {
  readonly text: string;
  /** When it came, on the clock of the machine that MONOTONIC_USEC is of. */
  readonly monotonicSeconds: number;
}

export class NotifyReceiver implements AsyncDisposable {
  readonly heard: Notification[] = [];
  readonly #child;
  #rest = '';
  #wake: () => void = () => {};

  private constructor(address: string) {
    this.#child = spawn(program('python3'), ['-c', RECEIVE, address], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout.on('data', chunk => this.#take(String(chunk)));
  }

  /** Needs `needs('python3')`. The address is a path, or an abstract name that begins with @. */
  static async open(address: string): Promise<NotifyReceiver> {
    const receiver = new NotifyReceiver(address);
    await receiver.next(/^bound$/);
    receiver.heard.length = 0;
    return receiver;
  }

  /** The first that is like this, from `from` on. */
  async next(pattern: RegExp, from = 0): Promise<Notification> {
    for (;;) {
      const found = this.heard.slice(from).find(({ text }) => pattern.test(text));
      if (found !== undefined) return found;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise(resolve => this.#child.once('close', resolve));
    this.#child.kill();
    await closed;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [said, monotonicSeconds] = JSON.parse(line) as [string, number];
      this.heard.push({ text: said, monotonicSeconds });
    }
    this.#wake();
  }
}
