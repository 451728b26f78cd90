/** A service manager as far as socket activation goes (socket_holder.py), and the proxies that it starts. Needs python3. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { LogLines } from './log_lines.ts';
import { configText } from './plan_builder.ts';
import { program } from './programs.ts';
import { ROOT } from './proxy_under_test.ts';

export class SocketHolder {
  readonly lines = new LogLines();
  readonly #child;
  readonly #command: readonly string[];
  readonly #file: string;
  #started = 0;

  constructor(context: TestContext, config: object, backlog: number, ...names: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-activation-'));
    const file = join(folder, 'fairlead.yaml');
    this.#file = file;
    this.rewrite(config);
    const main = ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/main.ts')];
    this.#command = [process.execPath, ...main, 'run', '--config', file];
    const holder = join(ROOT, 'test/support/socket_holder.py');
    this.#child = spawn(program('python3'), [holder, String(backlog), ...names], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout.on('data', chunk => this.lines.take(String(chunk)));
    this.#child.once('close', () => this.lines.end('the holder has ended'));
    context.after(async () => {
      this.#child.stdin.end();
      if (this.#child.exitCode === null) await once(this.#child, 'close');
      rmSync(folder, { recursive: true });
    });
  }
  rewrite(config: object): void {
    writeFileSync(this.#file, configText(config as Record<string, unknown>));
  }
  async ports(): Promise<readonly number[]> {
    return (await this.lines.next(line => 'ports' in line))['ports'] as number[];
  }
  /** The process id, when it serves. */
  async start(): Promise<number> {
    this.#started++;
    this.#child.stdin.write(`${JSON.stringify(this.#command)}\n`);
    const pid = await this.lines.next(line => 'pid' in line && !('event' in line), this.#started);
    await this.lines.next({ event: 'phase_changed', to: 'serving' }, this.#started);
    return Number(pid['pid']);
  }
  /** So many have ended by now. */
  async stopped(count: number): Promise<void> {
    await this.lines.next({ event: 'phase_changed', to: 'stopped' }, count);
  }
}
