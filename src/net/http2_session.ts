/**
 * One HTTP/2 connection to an endpoint: connecting, open, or spent (it takes no new streams; those that it has go on).
 * It answers for its own life: age, idle time, requests, GOAWAY, and whether the peer is still there.
 */
import http2, { type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../resilience/clock.ts';
import type { Failure } from '../resilience/failure.ts';
import type { Random } from '../resilience/random.ts';
import { type ConnectTarget, connect } from './connect.ts';
import type { UpstreamSettings } from './upstream.ts';

/** Until the peer's SETTINGS say otherwise, and never more. RFC 9113 section 6.5.2 recommends at least 100. */
const STREAMS_MAX = 100;
const WINDOW_BYTES = 256 * 1024;
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
const AGE_JITTER = 0.1;
const CLOSE_MS_MAX = 2_000;
/** The types of Node do not know the last one yet. */
const OPTIONS: http2.ClientSessionOptions & { strictSingleValueFields: boolean } = {
  settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
  maxOutstandingPings: 10,
  strictSingleValueFields: false, // a field that came twice is passed on twice
};

type ReadyCallback = (failure: Failure | null, session: ClientHttp2Session | null) => void;

export class Session {
  readonly #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #onGone: (session: Session) => void;
  readonly #onRoom: () => void;
  readonly #bornMs: number;
  readonly #ageMsMax: number;
  readonly #cancelConnect: () => void;
  #waiting: ReadyCallback[] = [];
  #http2: ClientHttp2Session | null = null;
  #socket: Socket | null = null;
  #idleTimer: Timer | null = null;
  /** Runs while a PING is out to learn whether the peer is still there. */
  #doubt: Timer | null = null;
  #taken = 0;
  #closing = false;
  streams = 0;

  /** `onRoom`: it takes streams again. */
  constructor(
    settings: UpstreamSettings,
    clock: Clock,
    random: Random,
    onGone: (session: Session) => void,
    onRoom: () => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onGone = onGone;
    this.#onRoom = onRoom;
    this.#bornMs = clock.nowMs();
    this.#ageMsMax =
      (settings.ageMsMax ?? Number.POSITIVE_INFINITY) * (1 + AGE_JITTER * (2 * random.unit() - 1));
    this.#cancelConnect = connect(connectTarget(settings, 'h2'), clock, (failure, socket) =>
      this.#onSocket(failure, socket),
    );
  }

  get hasRoom(): boolean {
    if (this.isSpent || this.#doubt !== null) return false;
    return (
      this.streams < Math.min(STREAMS_MAX, this.#http2?.remoteSettings?.maxConcurrentStreams ?? STREAMS_MAX)
    );
  }
  /** It takes no new streams any more; those that it has go on. */
  get isSpent(): boolean {
    if (this.#closing || this.#http2?.closed === true || this.#http2?.destroyed === true) return true;
    if (this.#settings.requestsMax !== null && this.#taken >= this.#settings.requestsMax) return true;
    return this.#clock.nowMs() - this.#bornMs >= this.#ageMsMax;
  }
  /** Moves whenever the peer is heard. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }
  get isOpen(): boolean {
    return this.#http2 !== null;
  }

  /** The session when it is open; `reused` if it was open before. */
  whenReady(callback: ReadyCallback): void {
    this.#taken++;
    this.#clock.cancelTimer(this.#idleTimer);
    this.#idleTimer = null;
    if (this.#http2 !== null) callback(null, this.#http2);
    else if (this.#closing) callback({ kind: 'connect_refused', code: 'CLOSED' }, null);
    else this.#waiting.push(callback);
  }

  endStream(retired: boolean): void {
    this.streams--;
    if (this.streams > 0) return;
    if (retired || this.#closing || !this.hasRoom) this.closeIfIdle();
    else this.#idleTimer = this.#clock.setTimer(closeIdle, this.#settings.idleMs, this as Session);
  }

  /**
   * Nothing has been heard from the peer while somebody gave up waiting for it. A firewall may have forgotten the
   * connection, or the machine be another one by now: it has as long as connecting may take to answer a PING
   * (RFC 9113 section 6.7), and gets no new streams before that.
   */
  doubt(): void {
    const session = this.#http2;
    if (this.#doubt !== null || this.#closing || session === null || session.destroyed) return;
    this.#doubt = this.#clock.setTimer(destroySession, this.#settings.connectMs, this as Session);
    session.ping(error => {
      this.#clock.cancelTimer(this.#doubt);
      this.#doubt = null;
      if (error === null) this.#onRoom();
    });
  }

  closeIfIdle(): void {
    this.#closing = true;
    if (this.streams > 0) return;
    this.#clock.cancelTimer(this.#idleTimer);
    this.#cancelConnect();
    if (this.#http2 !== null) closeWithin(this.#http2, this.#clock);
    this.#onGone(this);
  }

  destroy(): void {
    this.#closing = true;
    this.#clock.cancelTimer(this.#idleTimer);
    this.#clock.cancelTimer(this.#doubt);
    this.#cancelConnect();
    this.#http2?.destroy();
    this.#answerWaiting({ kind: 'connect_refused', code: 'CLOSED' }, null);
    this.#onGone(this);
  }

  #onSocket(failure: Failure | null, socket: Socket | null): void {
    if (
      failure === null &&
      this.#settings.tls !== null &&
      (socket as Socket & { alpnProtocol?: unknown }).alpnProtocol !== 'h2'
    ) {
      socket?.destroy();
      this.#onSocket({ kind: 'tls_failed', part: 'protocol', code: 'NO_ALPN_H2' }, null);
      return;
    }
    if (failure !== null || socket === null) {
      this.#closing = true;
      this.#onGone(this);
      this.#answerWaiting(failure, null);
      return;
    }
    const session = http2.connect('http://backend', { ...OPTIONS, createConnection: () => socket });
    session.on('error', () => {}); // each stream hears of it
    session.on('close', () => {
      this.#closing = true;
      this.#onGone(this);
    });
    session.on('goaway', () => {
      this.#closing = true;
      this.#onRoom(); // for another one: this one does not count any more
    });
    session.on('remoteSettings', () => this.#onRoom());
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    this.#http2 = session;
    this.#socket = socket;
    this.#answerWaiting(null, session);
  }

  #answerWaiting(failure: Failure | null, session: ClientHttp2Session | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(failure, session);
  }
}

function closeIdle(session: Session): void {
  session.closeIfIdle();
}

/** GOAWAY; the peer has so long to end the connection too. */
function closeWithin(session: ClientHttp2Session, clock: Clock): void {
  session.close();
  const timer = clock.setTimer(destroyHttp2, CLOSE_MS_MAX, session);
  session.once('close', () => clock.cancelTimer(timer));
}

function destroyHttp2(session: ClientHttp2Session): void {
  session.destroy();
}

function destroySession(session: Session): void {
  session.destroy();
}

export function connectTarget(settings: UpstreamSettings, protocol: 'h2' | 'http/1.1'): ConnectTarget {
  return {
    address: settings.address,
    tls: settings.tls,
    protocols: [protocol],
    connectMs: settings.connectMs,
  };
}
