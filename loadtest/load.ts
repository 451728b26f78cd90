/**
 * A closed loop: each of N kept connections sends its next request when the answer to the last one is complete.
 *
 *   node loadtest/load.ts --port P [--connections 64] [--requests 20000] [--tool own|wrk] [--seconds 3]
 *
 * Prints one line of JSON. It is written on node:net and parses only what it must, so that it takes as little as it
 * can of the two cores that proxy and backend also need. wrk knows a duration, not a number of requests.
 */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { parseArgs, promisify } from 'node:util';
import { findProgram } from './external_program.ts';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: readonly string[];
}

const HEADERS: readonly (readonly [string, string])[] = [
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['Accept', 'application/json, text/plain, */*'],
  ['Accept-Language', 'en-US,en;q=0.5'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['Cookie', 'session=6f1ed002ab5595859014ebf0951522d9'],
];
const PATH = '/api/v1/items/42?view=full';
const STALL_MS = 10_000;

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    connections: { type: 'string', default: '64' },
    requests: { type: 'string', default: '20000' },
    tool: { type: 'string', default: 'own' },
    seconds: { type: 'string', default: '3' },
  },
});
const port = Number(values.port);
const connections = Number(values.connections);
const result =
  values.tool === 'wrk'
    ? await runWrk(port, connections, Number(values.seconds))
    : await runOwn(port, connections, Number(values.requests));
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);

async function runOwn(port: number, connections: number, requests: number): Promise<LoadResult> {
  const lines = HEADERS.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const request = Buffer.from(`GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines}\r\n`);
  const errors: string[] = [];
  let sent = 0;
  let answered = 0;
  let onFinished: () => void = () => undefined;
  const sockets = await Promise.all(Array.from({ length: connections }, () => openConnection()));
  const started = performance.now();
  await new Promise<void>(resolve => {
    let seen = -1;
    const watch = setInterval(() => {
      if (answered === seen) fail(`no answer for ${STALL_MS} ms, after ${answered} answers`);
      seen = answered;
    }, STALL_MS);
    onFinished = () => {
      clearInterval(watch);
      resolve();
    };
    for (const send of sockets) if (sent < requests) send();
  });
  return { requests: answered, seconds: (performance.now() - started) / 1_000, errors };

  function fail(error: string): void {
    errors.push(error);
    onFinished();
  }

  function openConnection(): Promise<() => void> {
    return new Promise((resolve, reject) => {
      let kept: Buffer = Buffer.alloc(0); // the beginning of an answer whose end has not come yet
      let missing = 0; // bytes of the body that have not come yet
      const send = () => {
        sent += 1;
        socket.write(request);
      };
      const complete = () => {
        answered += 1;
        if (answered === requests) onFinished();
        else if (sent < requests) send();
      };
      const take = (data: Buffer) => {
        if (missing > 0) {
          missing -= data.length;
          if (missing === 0) complete();
          else if (missing < 0) fail('more bytes than content-length says');
          return;
        }
        const all = kept.length === 0 ? data : Buffer.concat([kept, data]);
        const end = all.indexOf('\r\n\r\n');
        if (end < 0) {
          kept = Buffer.from(all); // a copy: the read buffer is used again
          return;
        }
        kept = Buffer.alloc(0);
        const head = all.toString('latin1', 0, end);
        const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
        if (!head.startsWith('HTTP/1.1 200') || length === undefined) return fail(`unexpected: ${head}`);
        missing = end + 4 + Number(length) - all.length;
        if (missing === 0) complete();
        else if (missing < 0) fail('more bytes than content-length says');
      };
      const buffer = Buffer.allocUnsafe(65_536);
      const onread = {
        buffer,
        callback: (length: number) => {
          take(buffer.subarray(0, length));
          return true;
        },
      };
      const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread }, () => resolve(send));
      socket.on('error', error => {
        reject(error);
        fail(String(error));
      });
      socket.on('end', () => fail('the proxy closed a kept connection'));
    });
  }
}

async function runWrk(port: number, connections: number, seconds: number): Promise<LoadResult> {
  const wrk = findProgram('wrk');
  if (wrk === undefined) throw new Error('wrk is not installed');
  const headers = HEADERS.flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const amount = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`];
  const url = `http://127.0.0.1:${port}${PATH}`;
  const { stdout } = await promisify(execFile)(wrk, [...amount, ...headers, url]);
  const total = /(\d+) requests in ([\d.]+)(m?s)/.exec(stdout);
  if (total === null) throw new Error(`wrk said:\n${stdout}`);
  const scale = total[3] === 'ms' ? 1_000 : 1;
  const errors = stdout.split('\n').filter(line => /Socket errors|Non-2xx/.test(line));
  return { requests: Number(total[1]), seconds: Number(total[2]) / scale, errors };
}
