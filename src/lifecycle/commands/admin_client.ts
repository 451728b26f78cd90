/** Talks to the admin API of the process that runs with the same configuration file. */
import http from 'node:http';
import type { Plan } from '../../config/plan.ts';
import { formatAddress } from '../../net/endpoint.ts';
import { loadOrExplain } from './load.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What went wrong, for a person: what, where and what to do. */
export class AdminUnreachable extends Error {}

const ANSWER_MS_MAX = 35_000; // a reload may take a while

/** Where the admin API is, or the exit code after the reason was printed. */
export async function findAdmin(file: string): Promise<AdminClient | number> {
  const loaded = await loadOrExplain(file);
  return typeof loaded === 'number' ? loaded : new AdminClient(loaded.plan, file);
}

export class AdminClient {
  readonly #admin: Plan['admin'];
  readonly #file: string;

  constructor(plan: Plan, file: string) {
    this.#admin = plan.admin;
    this.#file = file;
  }

  get(path: string): Promise<AdminAnswer> {
    return this.#ask('GET', path);
  }
  post(path: string, body?: unknown): Promise<AdminAnswer> {
    return this.#ask('POST', path, body);
  }

  #ask(method: string, path: string, body?: unknown): Promise<AdminAnswer> {
    const { address, token } = this.#admin;
    if (address === null || address.kind === 'fd')
      throw new AdminUnreachable(
        `${this.#file} has no admin.address to ask; add admin: { address: 127.0.0.1:9901 } and restart`,
      );
    const where = formatAddress(address);
    const text = body === undefined ? '' : JSON.stringify(body);
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
        timeout: ANSWER_MS_MAX,
        headers: {
          ...(address.kind === 'unix' ? { host: 'localhost' } : {}),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(text === '' ? {} : { 'content-type': 'application/json' }),
          'content-length': Buffer.byteLength(text),
        },
      });
      request.on('error', error => reject(unreachable(where, error)));
      request.on('timeout', () => request.destroy(new Error('no answer')));
      request.on('response', response => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', chunk => {
          answer += chunk;
        });
        response.on('error', error => reject(unreachable(where, error)));
        response.on('end', () => {
          if (response.statusCode === 401)
            reject(new AdminUnreachable(`the process at ${where} has another admin.token than the file`));
          else resolve({ status: response.statusCode ?? 0, body: parse(answer) });
        });
      });
      request.end(text);
    });
  }
}

function unreachable(where: string, error: Error): AdminUnreachable {
  const code = 'code' in error ? String(error.code) : error.message;
  const hint = code === 'ECONNREFUSED' || code === 'ENOENT' ? 'is fairlead running with this file?' : '';
  return new AdminUnreachable(`no admin API at ${where} (${code}); ${hint}`.replace(/; $/, ''));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
