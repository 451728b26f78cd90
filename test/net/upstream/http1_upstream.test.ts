// Connections to one HTTP/1.1 endpoint: how long they are used, and what a backend can do to them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Address } from '../../../src/net/address.ts';
import { Http1Upstream } from '../../../src/net/upstream/http1_upstream.ts';
import type { UpstreamHandler, UpstreamSettings } from '../../../src/net/upstream.ts';
import type { Failure } from '../../../src/resilience/failure.ts';
import { answer, earlyHints, write } from '../../support/backend_behaviours.ts';
import * as certificates from '../../support/certificates.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { checkLeaks } from '../../support/leak_check.ts';
import { needs, program } from '../../support/programs.ts';
import { type Behaviour, closedPort, startBackend } from '../../support/scripted_backend.ts';
import { seededRandom } from '../../support/seeded_random.ts';

checkLeaks();

/** What the handler of one request has heard, in order. */
interface Heard {
  readonly events: string[];
  readonly failure: Failure | null;
}

class Use implements Disposable {
  readonly clock = new FakeClock();
  readonly #upstream: Http1Upstream;

  constructor({ port }: { readonly port: number }, settings: Partial<UpstreamSettings> = {}) {
    const address: Address = { kind: 'tcp', host: '127.0.0.1', port };
    const defaults = {
      protocol: 'http1',
      tls: null,
      connectionsMax: 1,
      idleMs: 4_000,
      connectTimeoutMs: 1_000,
    } as const;
    const limits = { requestsMax: null, ageMsMax: null };
    this.#upstream = new Http1Upstream(
      { address, ...defaults, ...limits, ...settings },
      this.clock,
      seededRandom(1),
    );
  }

  /** One request from its slot to its end; the slot is given back. `onData` is told of each piece. */
  async request(onData: () => void = () => {}): Promise<Heard> {
    const slot = await this.#take();
    const events: string[] = [];
    const failure = await new Promise<Failure | null>(resolve => {
      const handler: UpstreamHandler = {
        onConnected: reused => events.push(reused ? 'reused' : 'new'),
        onInformation: status => events.push(`information ${status}`),
        onHead: status => events.push(`head ${status}`),
        onData(chunk) {
          events.push(`data ${chunk.toString()}`);
          onData();
          return true;
        },
        onEnd: () => resolve(null),
        onError: resolve,
      };
      slot.send({ method: 'GET', target: '/', authority: 'a', headers: [], body: null }, handler);
    });
    this.#upstream.release(slot);
    return { events, failure };
  }

  /** A slot whose connection is being closed comes back when the backend has closed it too. */
  #take(): Promise<NonNullable<ReturnType<Http1Upstream['take']>>> {
    return new Promise(resolve => {
      const slot = this.#upstream.take();
      if (slot !== null) resolve(slot);
      else {
        const stop = this.#upstream.onCapacity(() => {
          stop();
          resolve(this.#take());
        });
      }
    });
  }

  [Symbol.dispose](): void {
    this.#upstream.destroy();
  }
}

test('pool.maxRequests: a connection that has served so many is closed, and the next request gets a new one', async () => {
  await using backend = await startBackend(answer());
  using use = new Use(backend, { requestsMax: 2 });
  const first: (string | undefined)[] = [];
  for (let count = 0; count < 5; count++) first.push((await use.request()).events[0]);
  assert.deepEqual(first, ['new', 'reused', 'new', 'reused', 'new']);
});

test('pool.maxAge: a connection older than that serves no further request', async () => {
  await using backend = await startBackend(answer());
  using use = new Use(backend, { ageMsMax: 10_000 });
  assert.equal((await use.request()).events[0], 'new');
  use.clock.advance(8_999); // 10 % of jitter at most, either way
  assert.equal((await use.request()).events[0], 'reused');
  use.clock.advance(2_002);
  assert.equal((await use.request()).events[0], 'reused', 'the age is looked at when a request ends');
  assert.equal((await use.request()).events[0], 'new');
});

test('a backend that keeps connections for 1 s gets no second request on one: it could not be there in time', async () => {
  await using backend = await startBackend(answer({ headers: ['Keep-Alive', 'timeout=1'] }));
  using use = new Use(backend);
  await use.request();
  assert.equal((await use.request()).events[0], 'new');
  backend.behave(answer({ headers: ['Keep-Alive', 'timeout=60'] }));
  await use.request();
  assert.equal((await use.request()).events[0], 'reused');
});

test('a reset of an answer that ends with its connection is a broken answer, not its end', async () => {
  let reset = () => {};
  const behaviour: Behaviour = async request => {
    reset = () => request.socket.resetAndDestroy();
    await write(request, 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf');
    return 'taken' as const;
  };
  await using backend = await startBackend(behaviour);
  using use = new Use(backend);
  const { events, failure } = await use.request(() => reset());
  assert.deepEqual(events, ['new', 'head 200', 'data half']);
  assert.deepEqual(failure, { kind: 'reset_in_body', code: 'ECONNRESET' });
});

test('interim responses are passed on before the response', async () => {
  await using backend = await startBackend(earlyHints('</a>', answer()));
  using use = new Use(backend);
  const { events } = await use.request();
  assert.deepEqual(events.slice(0, 3), ['new', 'information 103', 'head 200']);
});

test(
  'a client certificate that a backend wants and does not get is tls_failed with the alert, with TLS 1.3 too',
  needs('openssl'),
  async () => {
    const port = await closedPort();
    const { caFile, server } = certificates;
    const own = ['-cert', server.certFile, '-key', server.keyFile, '-CAfile', caFile, '-tls1_3'];
    const asks = ['-Verify', '1', '-verify_return_error'];
    // Node's own server would close the connection without an alert.
    const backend = spawn(program('openssl'), ['s_server', '-accept', `127.0.0.1:${port}`, ...own, ...asks], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    try {
      // It says other things before it listens.
      for (let said = ''; !said.includes('ACCEPT'); ) said += String((await once(backend.stdout, 'data'))[0]);
      const given = { serverName: 'app.test', caPem: certificates.ca, certPem: null, keyPem: null };
      using use = new Use({ port }, { tls: { verify: true, ...given } });
      assert.deepEqual((await use.request()).failure, {
        kind: 'tls_failed',
        part: 'protocol',
        code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      });
    } finally {
      backend.kill();
      await once(backend, 'close');
    }
  },
);
