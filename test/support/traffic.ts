/** Traffic of every kind through one proxy process: 64 kept connections, two HTTP/2 sessions, and streams that last. */
import { connectHttp2, type Http2Client } from './http2_client.ts';
import { LastingStreams } from './lasting_streams.ts';
import type { ProxyProcess } from './proxy_under_test.ts';
import { ConcurrentStreams, KeptConnections, type Lost } from './short_requests.ts';
import type { TrafficBackend } from './traffic_backend.ts';

const CLIENTS = 64;
const STREAMS_PER_SESSION = 100;
/** Each client then sends four requests a second, which leaves the proxy some time on a machine with two cores. */
const PAUSE_MS = 250;
/** Two of each kind over each carrier. */
const LASTING_OF_EACH_KIND = 2;
const TLS = { rejectUnauthorized: false, servername: 'app.test' };

/** `await using traffic = await Traffic.start(...)` leaves nothing open when the test fails. */
export class Traffic implements AsyncDisposable {
  readonly clients = CLIENTS;
  readonly kept: KeptConnections;
  readonly streams: ConcurrentStreams;
  readonly lasting: LastingStreams;
  readonly #sessions: readonly Http2Client[];
  #stopped: Promise<void> | null = null;

  static async start(proxy: ProxyProcess, backend: TrafficBackend): Promise<Traffic> {
    const [plainPort, tlsPort] = [proxy.target().port, proxy.target('secure').port];
    const sessions = [
      await connectHttp2({ port: plainPort }),
      await connectHttp2({ port: tlsPort, tls: TLS }),
      await connectHttp2({ port: plainPort }),
    ];
    return new Traffic(plainPort, tlsPort, sessions, backend);
  }

  private constructor(
    plainPort: number,
    tlsPort: number,
    sessions: readonly Http2Client[],
    backend: TrafficBackend,
  ) {
    this.#sessions = sessions;
    const [first, second, third] = sessions.map(({ session }) => session);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three sessions');
    this.kept = new KeptConnections(plainPort, CLIENTS, PAUSE_MS);
    this.streams = new ConcurrentStreams([first, second], STREAMS_PER_SESSION);
    this.lasting = new LastingStreams({ plainPort, tlsPort, session: third }, backend, LASTING_OF_EACH_KIND);
  }

  get failures(): unknown[] {
    return [...this.kept.failures, ...this.streams.failures, ...this.lasting.failures];
  }
  /** Of the clients that keep theirs. */
  get connections(): number {
    return this.kept.connections;
  }
  /** Every kind has gone on since it was asked. */
  async goOn(): Promise<void> {
    await Promise.all([
      this.kept.goOn(2 * CLIENTS),
      this.streams.goOn(2 * STREAMS_PER_SESSION),
      this.lasting.goOn(5),
    ]);
  }
  /** From now on nobody may be there to take another request. */
  expectEnd(): void {
    this.kept.expectEnd();
    this.streams.expectEnd();
    this.lasting.expectEnd();
  }
  /** Until each client of short requests has found nobody. */
  async refused(): Promise<void> {
    await Promise.all([this.kept.ended(), this.streams.ended()]);
  }
  get refusals(): readonly Lost[] {
    return [...this.kept.refused, ...this.streams.refused];
  }
  /** Everything comes to its end by itself. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
  async #stop(): Promise<void> {
    await Promise.all([this.kept.stop(), this.streams.stop(), this.lasting.finish()]);
    await Promise.all(this.#sessions.map(session => session.close()));
  }
  summary(): string {
    return `${this.kept.answered} answers on kept connections, ${this.streams.answered} on streams, ${this.lasting.count} lasting streams`;
  }
}
