/** The JSON lines that a proxy writes, to wait for and to look through. */

export type LogLine = Readonly<Record<string, unknown>>;
/** The facts that a line must have, compared as they are; or a question to ask of each line. */
export type Wanted = Readonly<Record<string, unknown>> | ((line: LogLine) => boolean);

export class LogLines {
  readonly all: LogLine[] = [];
  /** What was not JSON. */
  readonly noise: string[] = [];
  #rest = '';
  #ended: string | null = null;
  readonly #waiting = new Set<() => void>();

  /** Text as it comes, cut anywhere. */
  take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('{')) this.all.push(JSON.parse(line) as LogLine);
      else if (line !== '') this.noise.push(line);
    }
    this.#wake();
  }

  /** No more lines: who still waits hears why. */
  end(why: string): void {
    this.#ended = why;
    this.#wake();
  }

  find(wanted: Wanted): LogLine[] {
    if (typeof wanted === 'function') return this.all.filter(wanted);
    const facts = Object.entries(wanted);
    return this.all.filter(line => facts.every(([name, value]) => line[name] === value));
  }

  /** The first line, past or to come, that has these facts; or so many of them, and then the last. */
  async next(wanted: Wanted, count = 1): Promise<LogLine> {
    for (;;) {
      const line = this.find(wanted)[count - 1];
      if (line !== undefined) return line;
      if (this.#ended !== null) {
        throw new Error(
          `${this.#ended}, without the line ${typeof wanted === 'function' ? wanted : JSON.stringify(wanted)}; there were:\n${this.#shown()}`,
        );
      }
      await new Promise<void>(resolve => {
        this.#waiting.add(resolve);
      });
    }
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #shown(): string {
    return [...this.all.slice(-20).map(line => JSON.stringify(line)), ...this.noise.slice(-20)].join('\n');
  }
}
