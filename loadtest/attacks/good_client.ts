/**
 * A well-behaved client with a fixed number of requests each second, whatever happens to earlier ones: half of them on
 * keep-alive connections, half on a connection of their own. Latency counts from the moment at which a request was due.
 *
 *   node loadtest/attacks/good_client.ts PORT RATE SECONDS
 *
 * Prints one line of JSON.
 */
import { Agent, request } from 'node:http';

export interface GoodResult {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Number of failures by kind. */
  readonly errors: Readonly<Record<string, number>>;
}

const GIVE_UP_MS = 10_000;
const [port = 0, rate = 200, seconds = 10] = process.argv.slice(2).map(Number);
const kept = new Agent({ keepAlive: true, maxSockets: 16 });
const total = rate * seconds;
const latencies: number[] = [];
const errors: Record<string, number> = {};
const startedAtMs = performance.now();
let sent = 0;

await new Promise<void>(resolve => {
  const done = () => {
    if (latencies.length + sum(Object.values(errors)) === total) resolve();
  };
  const tick = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - startedAtMs) / 1_000) * rate));
    for (; sent < due; sent++) ask(startedAtMs + (sent * 1_000) / rate, sent % 2 === 0, done);
    if (sent === total) clearInterval(tick);
  }, 2);
});
latencies.sort((a, b) => a - b);
const at = (share: number) =>
  latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
const result: GoodResult = { requests: total, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), errors };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);

function ask(dueAtMs: number, isKept: boolean, done: () => void): void {
  let isOver = false;
  const end = (error: string | null) => {
    if (isOver) return;
    isOver = true;
    if (error === null) latencies.push(performance.now() - dueAtMs);
    else errors[error] = (errors[error] ?? 0) + 1;
    done();
  };
  const asked = request(
    { host: '127.0.0.1', port, path: '/good', agent: isKept ? kept : false },
    response => {
      response.resume();
      response.on('end', () =>
        end(response.statusCode === 200 ? null : reasonOf(response.statusCode, response.headers)),
      );
      response.on('error', error => end(String(error)));
    },
  );
  asked.setTimeout(GIVE_UP_MS, () => {
    end('no response in 10 s');
    asked.destroy();
  });
  asked.on('error', error => end('code' in error ? String(error.code) : error.message));
  asked.end();
}

function reasonOf(status: number | undefined, headers: NodeJS.Dict<string | string[]>): string {
  return `${status} ${String(headers['proxy-status'] ?? '').replace('fairlead; error=', '')}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}
