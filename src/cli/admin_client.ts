/** Talks to the admin API of the process that runs with the same configuration file. */
import type { IncomingMessage } from 'node:http';
import { userInfo } from 'node:os';
import { loadConfig } from '../config/loader.ts';
import type { Plan } from '../config/plan.ts';
import { readVersion } from '../lifecycle/version.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import { http } from '../net/node_http.ts';
import { errorCode } from '../resilience/error_code.ts';
import { EXIT } from './exit_codes.ts';
import { printProblems } from './load.ts';

export interface AdminResponse {
  readonly status: number;
  readonly body: unknown;
}

/** The admin API could not be reached or refused the token. The message says where and what to do; it is printed as it stands. */
export class AdminUnreachable extends Error {}

const RESPONSE_MS_MAX = 35_000; // a reload may take up to 30 s

/** How the command line names the running process: by a configuration file, or by an admin address. */
export interface AdminTarget {
  readonly file: string;
  /** From `--admin` or $FAIRLEAD_ADMIN. The file is not read then, and the token comes from $FAIRLEAD_ADMIN_TOKEN. */
  readonly address: string | null;
}

/** A client for the admin API, or the exit code after the reason was printed on standard error. */
export function findAdmin({ file, address }: AdminTarget): AdminClient | number {
  if (address !== null) return clientOf(address);
  const result = loadConfig(file, process.env);
  if (result.kind === 'loaded') return new AdminClient(result.plan.admin, file);
  if (result.kind === 'invalid' && result.admin !== null) {
    process.stderr.write(`fairlead: ${file} has errors (run fairlead check); using its admin.address\n`);
    return new AdminClient(result.admin, file);
  }
  if (result.kind === 'invalid') printProblems(result.problems, result.source);
  else process.stderr.write(`fairlead: ${result.message}\n`);
  process.stderr.write(
    'fairlead: to reach the running process anyway, pass --admin 127.0.0.1:9901 (or unix:/path)\n',
  );
  return result.kind === 'invalid' ? EXIT.badConfig : EXIT.noInput;
}

function clientOf(text: string): AdminClient | number {
  // The address of the status page, copied from a browser.
  const address = parseAddress(/^http:\/\/([^/]+)\/?$/.exec(text)?.[1] ?? text);
  if (typeof address !== 'string') {
    const token = process.env['FAIRLEAD_ADMIN_TOKEN'] ?? null;
    return new AdminClient({ address, token }, '--admin', '$FAIRLEAD_ADMIN_TOKEN');
  }
  process.stderr.write(`fairlead: --admin ${text}: ${address}\n`);
  return EXIT.usage;
}

export class AdminClient {
  readonly #admin: Plan['admin'];
  readonly #file: string;
  readonly #tokenFrom: string;

  constructor(admin: Plan['admin'], file: string, tokenFrom = `admin.token in ${file}`) {
    this.#admin = admin;
    this.#file = file;
    this.#tokenFrom = tokenFrom;
  }

  get(path: string): Promise<AdminResponse> {
    return this.#ask('GET', path);
  }
  post(path: string, body?: unknown): Promise<AdminResponse> {
    return this.#ask('POST', path, body);
  }

  /** Calls `onLine` with each line of a streamed response. Resolves at its end, also when the process was killed. */
  async lines(path: string, onLine: (line: unknown) => void): Promise<void> {
    const response = await this.#open('GET', path, '');
    if (response.statusCode !== 200) {
      response.resume();
      throw new AdminUnreachable(
        `the process at ${this.#where} answered ${path} with ${response.statusCode}`,
      );
    }
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(parse(line));
    });
    await new Promise<void>(resolve => {
      response.once('close', resolve);
      response.on('error', () => {}); // `close` follows
    });
  }

  async #ask(method: string, path: string, body?: unknown): Promise<AdminResponse> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const response = await this.#open(method, path, text);
    let received = '';
    response.setEncoding('utf8');
    response.on('data', chunk => {
      received += chunk;
    });
    return new Promise((resolve, reject) => {
      response.on('error', error => reject(unreachable(this.#where, error)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parse(received) }));
    });
  }

  get #where(): string {
    const { address } = this.#admin;
    return address === null ? '' : formatAddress(address);
  }

  /** Resolves when the head of the response has arrived. */
  #open(method: string, path: string, text: string): Promise<IncomingMessage> {
    const { address, token } = this.#admin;
    if (address === null || address.kind === 'fd')
      throw new AdminUnreachable(
        `${this.#file} has no admin.address; add admin: { address: 127.0.0.1:9901 } and restart`,
      );
    const place =
      address.kind === 'unix'
        ? { socketPath: address.path }
        : {
            host: address.host === '0.0.0.0' || address.host === '::' ? 'localhost' : address.host,
            port: address.port,
          };
    return new Promise((resolve, reject) => {
      const request = http.request({
        ...place,
        method,
        path,
        timeout: RESPONSE_MS_MAX,
        headers: {
          'user-agent': userAgent(),
          ...(address.kind === 'unix' ? { host: 'localhost' } : {}),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(text === '' ? {} : { 'content-type': 'application/json' }),
          'content-length': Buffer.byteLength(text),
        },
      });
      request.on('error', error => reject(unreachable(this.#where, error)));
      request.on('timeout', () => request.destroy(new Error('no response')));
      request.on('response', response => {
        if (response.statusCode !== 401) {
          resolve(response);
          return;
        }
        response.resume();
        reject(
          new AdminUnreachable(`the process at ${this.#where} rejected the token from ${this.#tokenFrom}`),
        );
      });
      request.end(text);
    });
  }
}

/** For the audit lines of the process: who asks, as far as a command can say. */
function userAgent(): string {
  let user = 'unknown user';
  try {
    user = userInfo().username.replace(/[^\x21-\x7e]/g, '?');
  } catch {
    // The user id has no name, as in many containers.
    if (process.getuid !== undefined) user = `uid ${process.getuid()}`;
  }
  return `fairlead/${readVersion()} (${user})`;
}

function unreachable(where: string, error: Error): AdminUnreachable {
  const code = errorCode(error);
  const hint =
    code === 'ECONNREFUSED' || code === 'ENOENT' ? 'is fairlead running with this configuration?' : '';
  return new AdminUnreachable(`no admin API at ${where} (${code}); ${hint}`.replace(/; $/, ''));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
