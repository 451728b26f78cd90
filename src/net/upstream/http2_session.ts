/**
 * One HTTP/2 connection to an endpoint: connecting, open, or exhausted (it takes no new streams, and those in
 * progress continue). It manages its own life: age, idle time, requests, GOAWAY, and whether the peer is still alive.
 */
import http2, { type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../resilience/clock.ts';
import type { Failure } from '../../resilience/failure.ts';
import type { Random } from '../../resilience/random.ts';
import { type ConnectTarget, connect } from '../connect.ts';
import type { UpstreamLimits, UpstreamSettings } from '../upstream.ts';

/** Limit until the peer's SETTINGS arrive, and upper bound after that. RFC 9113 section 6.5.2 recommends at least 100. */
const STREAMS_MAX = 100;
const WINDOW_BYTES = 256 * 1024;
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
const AGE_JITTER = 0.1;
const CLOSE_MS_MAX = 2_000;
/**
 * Limit for a response head, as for HTTP/1.1, and for as many fields as fit, each at least 32 bytes (RFC 9113 section
 * 6.5.2).
 */
const RECEIVED_HEAD_BYTES_MAX = 64 * 1024;
/** Limit for a request head. The listener has bounded it already; nghttp2 would stop at 64 KiB. */
export const SENT_HEAD_BYTES_MAX = 1024 * 1024;
/**
 * gRPC servers end a connection that gets more than two PINGs within five minutes without data (gRPC A8,
 * "too_many_pings").
 */
const PINGS_MAX = 2;
const PING_WINDOW_MS = 300_000;
/** Node's types lack the last one. */
const OPTIONS: http2.ClientSessionOptions & { strictSingleValueFields: boolean } = {
  settings: {
    enablePush: false,
    initialWindowSize: WINDOW_BYTES,
    maxHeaderListSize: RECEIVED_HEAD_BYTES_MAX,
  },
  maxHeaderListPairs: RECEIVED_HEAD_BYTES_MAX / 32,
  maxSendHeaderBlockLength: SENT_HEAD_BYTES_MAX,
  strictSingleValueFields: false, // a repeated field is passed on twice
};

type ReadyCallback = (failure: Failure | null, session: ClientHttp2Session | null) => void;

export class Session {
  #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #onGone: (session: Session) => void;
  readonly #onCapacity: () => void;
  readonly #bornAtMs: number;
  /** Maximum age of the connection, with jitter, so that connections opened together do not end together. */
  readonly #ageRatio: number;
  readonly #cancelConnect: () => void;
  #waiting: ReadyCallback[] = [];
  #http2: ClientHttp2Session | null = null;
  #socket: Socket | null = null;
  #idleTimer: Timer | null = null;
  /** Runs while a PING is out to learn whether the peer is alive. */
  #livenessTimer: Timer | null = null;
  /** When the last PINGs were sent, oldest first. */
  #pingsAtMs: readonly number[] = [];
  /** Runs until the peer's SETTINGS arrive. */
  #settingsTimer: Timer | null = null;
  /** The SETTINGS have arrived: it is known how many streams the peer takes. */
  #isSettled = false;
  #taken = 0;
  #closing = false;
  streams = 0;

  /** `onCapacity` is called when the session takes streams again. */
  constructor(
    settings: UpstreamSettings,
    clock: Clock,
    random: Random,
    onGone: (session: Session) => void,
    onCapacity: () => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onGone = onGone;
    this.#onCapacity = onCapacity;
    this.#bornAtMs = clock.nowMs();
    this.#ageRatio = 1 + AGE_JITTER * (2 * random.unit() - 1);
    this.#cancelConnect = connect(connectTarget(settings, 'h2'), clock, (failure, socket) =>
      this.#onSocket(failure, socket),
    );
  }

  get hasCapacity(): boolean {
    if (this.isExhausted || this.#livenessTimer !== null) return false;
    return (
      this.streams < Math.min(STREAMS_MAX, this.#http2?.remoteSettings?.maxConcurrentStreams ?? STREAMS_MAX)
    );
  }
  /** The session takes no new streams; those in progress continue. */
  get isExhausted(): boolean {
    if (this.#closing || this.#http2?.closed === true || this.#http2?.destroyed === true) return true;
    if (this.#settings.requestsMax !== null && this.#taken >= this.#settings.requestsMax) return true;
    const { ageMsMax } = this.#settings;
    return ageMsMax !== null && this.#clock.nowMs() - this.#bornAtMs >= ageMsMax * this.#ageRatio;
  }
  setLimits(limits: UpstreamLimits): void {
    this.#settings = { ...this.#settings, ...limits };
  }
  /** Grows whenever something arrives from the peer. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }
  get isOpen(): boolean {
    return this.#isSettled;
  }

  /** Calls back with the session when it is open; `reused` if it was open before. */
  whenReady(callback: ReadyCallback): void {
    this.#taken++;
    this.#clock.cancelTimer(this.#idleTimer);
    this.#idleTimer = null;
    if (this.#isSettled) callback(null, this.#http2);
    else if (this.#closing) callback({ kind: 'connect_refused', code: 'CLOSED' }, null);
    else this.#waiting.push(callback);
  }

  endStream(retired: boolean): void {
    this.streams--;
    if (this.streams > 0) return;
    if (retired || this.#closing || !this.hasCapacity) this.closeIfIdle();
    else this.#idleTimer = this.#clock.setTimer(closeIdle, this.#settings.idleMs, this as Session);
  }

  /**
   *
   * Checks with a PING (RFC 9113 section 6.7) whether the peer is alive; called when a request gave up waiting and nothing has
   * arrived since it was sent. A firewall may have forgotten the connection, or the machine may be another one by now. The
   * peer gets the connect timeout to answer; until then the session takes no new streams, and without an answer none at all
   * any more. Streams in progress keep their own timeouts: one client that left early must not end the requests of others.
   */
  checkLiveness(): void {
    const session = this.#http2;
    if (this.#livenessTimer !== null || this.#closing || session === null || session.destroyed) return;
    const nowMs = this.#clock.nowMs();
    this.#pingsAtMs = this.#pingsAtMs.filter(atMs => nowMs - atMs < PING_WINDOW_MS);
    if (this.#pingsAtMs.length >= PINGS_MAX) {
      this.leave();
      return;
    }
    this.#pingsAtMs = [...this.#pingsAtMs, nowMs];
    this.#livenessTimer = this.#clock.setTimer(
      leaveSession,
      this.#settings.connectTimeoutMs,
      this as Session,
    );
    session.ping(error => {
      this.#clock.cancelTimer(this.#livenessTimer);
      this.#livenessTimer = null;
      if (error === null) this.#onCapacity();
    });
  }

  /** The peer may be dead: the session takes no new streams and ends with its last one. */
  leave(): void {
    this.#livenessTimer = null;
    if (this.streams > 0) this.#closing = true;
    else this.destroy();
    this.#onCapacity(); // another session may be opened
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
    this.#clock.cancelTimer(this.#livenessTimer);
    this.#clock.cancelTimer(this.#settingsTimer);
    this.#cancelConnect();
    this.#http2?.destroy();
    this.#settleWaiting({ kind: 'connect_refused', code: 'CLOSED' }, null);
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
      this.#settleWaiting(failure, null);
      return;
    }
    const session = http2.connect('http://backend', { ...OPTIONS, createConnection: () => socket });
    session.on('error', () => {}); // each stream gets the error
    session.on('close', () => {
      this.#closing = true;
      this.#clock.cancelTimer(this.#settingsTimer);
      this.#settleWaiting({ kind: 'reset_before_head', code: 'CLOSED', unsent: true }, null);
      this.#onGone(this);
    });
    session.on('goaway', () => {
      this.#closing = true;
      this.#onCapacity(); // another session may be opened, because this one no longer counts
    });
    session.on('remoteSettings', () => this.#onSettings(session));
    this.#settingsTimer = this.#clock.setTimer(
      failWithoutSettings,
      this.#settings.connectTimeoutMs,
      this as Session,
    );
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    this.#http2 = session;
    this.#socket = socket;
  }

  /**
   * Waits for the peer's SETTINGS before anything is sent: a burst on a connection that turns out to take five
   * streams would lose all others. This costs nothing where the server speaks first, as servers do (RFC 9113 section
   * 3.4). Requests beyond the limit look for another connection.
   */
  #onSettings(session: ClientHttp2Session): void {
    if (!this.#isSettled) {
      this.#isSettled = true;
      this.#clock.cancelTimer(this.#settingsTimer);
      const max = Math.min(STREAMS_MAX, session.remoteSettings.maxConcurrentStreams ?? STREAMS_MAX);
      const surplus = this.#waiting.splice(max);
      this.#settleWaiting(null, session);
      const failure: Failure = {
        kind: 'reset_before_head',
        code: 'H2_NO_ROOM',
        unsent: true,
        noCapacity: true,
      };
      for (const callback of surplus) callback(failure, null);
    }
    this.#onCapacity();
  }

  /** The peer is not an HTTP/2 server, or does not answer. */
  failWithoutSettings(): void {
    this.#settleWaiting({ kind: 'connect_timeout', afterMs: this.#settings.connectTimeoutMs }, null);
    this.destroy();
  }

  #settleWaiting(failure: Failure | null, session: ClientHttp2Session | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(failure, session);
  }
}

function closeIdle(session: Session): void {
  session.closeIfIdle();
}

/** Time for the peer to close its side after our GOAWAY. */
function closeWithin(session: ClientHttp2Session, clock: Clock): void {
  session.close();
  const timer = clock.setTimer(destroyHttp2, CLOSE_MS_MAX, session);
  session.once('close', () => clock.cancelTimer(timer));
}

function destroyHttp2(session: ClientHttp2Session): void {
  session.destroy();
}

function leaveSession(session: Session): void {
  session.leave();
}

function failWithoutSettings(session: Session): void {
  session.failWithoutSettings();
}

export function connectTarget(settings: UpstreamSettings, protocol: 'h2' | 'http/1.1'): ConnectTarget {
  return {
    address: settings.address,
    tls: settings.tls,
    protocols: [protocol],
    connectTimeoutMs: settings.connectTimeoutMs,
  };
}
