/**
 * Fairlead as a person starts it: its standard output is a terminal, made by script(1). What is not read from `output`
 * waits in the terminal, which then takes no more, as after Ctrl-S.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, configText } from './plan_builder.ts';
import { program } from './programs.ts';
import { ROOT } from './proxy_under_test.ts';

export class ProxyOnTerminal implements AsyncDisposable {
  /** Everything so far, as the terminal got it. */
  text = '';
  readonly #folder = mkdtempSync(join(tmpdir(), 'fairlead-terminal-'));
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  constructor(config: Config, env: Readonly<Record<string, string>>) {
    const file = join(this.#folder, 'edge.yaml');
    writeFileSync(file, configText(config));
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, 'src/main.ts')];
    // The process of Fairlead has the number that the shell prints.
    const line = `echo "pid $$"; exec ${[...command, 'run', '--config', file].map(word => `'${word}'`).join(' ')}`;
    const { NO_COLOR: _, ...inherited } = process.env;
    this.#child = spawn(program('script'), ['-qefc', line, '/dev/null'], {
      env: { ...inherited, TERM: 'xterm-256color', TZ: 'UTC', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      this.#wake();
    });
    this.#ended = once(this.#child, 'close').then(([code]) => {
      this.#hasEnded = true;
      this.#wake();
      return code as number | null;
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
    this.#waiting.clear();
  }

  /** Waits until the terminal has got it. */
  async shown(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.text);
      if (found !== null) return found;
      if (this.#hasEnded) throw new Error(`the proxy ended without ${pattern}; it said:\n${this.text}`);
      await new Promise<void>(resolve => this.#waiting.add(resolve));
    }
  }

  async port(): Promise<number> {
    return Number((await this.shown(/ is open on 127\.0\.0\.1:(\d+)/))[1]);
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.#pid(), signal);
  }

  async #pid(): Promise<number> {
    return Number((await this.shown(/pid (\d+)/))[1]);
  }

  /** False also while script(1) has not asked for the exit code yet, which it does after the last output. */
  async isRunning(): Promise<boolean> {
    try {
      return !/\) Z /.test(readFileSync(`/proc/${await this.#pid()}/stat`, 'utf8'));
    } catch {
      return false;
    }
  }

  /** The terminal takes nothing more until `resume`. */
  pause(): void {
    this.#child.stdout?.pause();
  }
  resume(): void {
    this.#child.stdout?.resume();
  }

  /** The exit code. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) await this.signal('SIGTERM');
    await this.#ended;
    rmSync(this.#folder, { recursive: true });
  }
}
