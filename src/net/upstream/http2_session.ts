/**
 * One HTTP/2 connection to an endpoint: connecting, open, or spent (it takes no new streams; those that it has go on).
 * It answers for its own life: age, idle time, requests, GOAWAY, and whether the peer is still there.
 */
import http2, { type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../resilience/clock.ts';
import type { Failure } from '../../resilience/failure.ts';
import type { Random } from '../../resilience/random.ts';
import { type ConnectTarget, connect } from '../connect.ts';
import type { UpstreamLimits, UpstreamSettings } from '../upstream.ts';

/** Until the peer's SETTINGS say otherwise, and never more. RFC 9113 section 6.5.2 recommends at least 100. */
const STREAMS_MAX = 100;
const WINDOW_BYTES = 256 * 1024;
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
const AGE_JITTER = 0.1;
const CLOSE_MS_MAX = 2_000;
/** Of a response, as for HTTP/1.1; and as many fields as fit, each at least 32 bytes (RFC 9113 section 6.5.2). */
const RECEIVED_HEAD_BYTES_MAX = 64 * 1024;
/** Of a request. The listener has bounded it already; nghttp2 would stop at 64 KiB. */
export const SENT_HEAD_BYTES_MAX = 1024 * 1024;
/**
 * Servers of gRPC end a connection on which more than two PINGs come within five minutes without data (gRPC A8,
 * "too_many_pings").
 */
const PINGS_MAX = 2;
const PING_WINDOW_MS = 300_000;
/** The types of Node do not know the last one yet. */
const OPTIONS: http2.ClientSessionOptions & { strictSingleValueFields: boolean } = {
  settings: {
    enablePush: false,
    initialWindowSize: WINDOW_BYTES,
    maxHeaderListSize: RECEIVED_HEAD_BYTES_MAX,
  },
  maxHeaderListPairs: RECEIVED_HEAD_BYTES_MAX / 32,
  maxSendHeaderBlockLength: SENT_HEAD_BYTES_MAX,
  strictSingleValueFields: false, // a field that came twice is passed on twice
};

type ReadyCallback = (failure: Failure | null, session: ClientHttp2Session | null) => void;

export class Session {
  #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #onGone: (session: Session) => void;
  readonly #onRoom: () => void;
  readonly #bornAtMs: number;
  /** Of the oldest age, so that connections opened together do not end together. */
  readonly #ageRatio: number;
  readonly #cancelConnect: () => void;
  #waiting: ReadyCallback[] = [];
  #http2: ClientHttp2Session | null = null;
  #socket: Socket | null = null;
  #idleTimer: Timer | null = null;
  /** Runs while a PING is out to learn whether the peer is still there. */
  #doubt: Timer | null = null;
  /** When the last PINGs were sent, oldest first. */
  #pingsAtMs: readonly number[] = [];
  /** Runs until the peer's SETTINGS are there. */
  #settingsTimer: Timer | null = null;
  /** They are there: it is known how many streams the peer takes. */
  #isSettled = false;
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
    this.#bornAtMs = clock.nowMs();
    this.#ageRatio = 1 + AGE_JITTER * (2 * random.unit() - 1);
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
    const { ageMsMax } = this.#settings;
    return ageMsMax !== null && this.#clock.nowMs() - this.#bornAtMs >= ageMsMax * this.#ageRatio;
  }
  setLimits(limits: UpstreamLimits): void {
    this.#settings = { ...this.#settings, ...limits };
  }
  /** Moves whenever the peer is heard. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }
  get isOpen(): boolean {
    return this.#isSettled;
  }

  /** The session when it is open; `reused` if it was open before. */
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
    if (retired || this.#closing || !this.hasRoom) this.closeIfIdle();
    else this.#idleTimer = this.#clock.setTimer(closeIdle, this.#settings.idleMs, this as Session);
  }

  /**
   * Nothing has been heard from the peer while somebody gave up waiting for it. A firewall may have forgotten the
   * connection, or the machine be another one by now: it has as long as connecting may take to answer a PING
   * (RFC 9113 section 6.7), and gets no new streams before that; without an answer it gets none any more. The streams that
   * it has keep their own timeouts: one client that left early must not end the requests of others.
   */
  doubt(): void {
    const session = this.#http2;
    if (this.#doubt !== null || this.#closing || session === null || session.destroyed) return;
    const nowMs = this.#clock.nowMs();
    this.#pingsAtMs = this.#pingsAtMs.filter(atMs => nowMs - atMs < PING_WINDOW_MS);
    if (this.#pingsAtMs.length >= PINGS_MAX) {
      this.leave();
      return;
    }
    this.#pingsAtMs = [...this.#pingsAtMs, nowMs];
    this.#doubt = this.#clock.setTimer(leaveSession, this.#settings.connectMs, this as Session);
    session.ping(error => {
      this.#clock.cancelTimer(this.#doubt);
      this.#doubt = null;
      if (error === null) this.#onRoom();
    });
  }

  /** Whether the peer is there is not known: no new streams, and the end when the last one has ended. */
  leave(): void {
    this.#doubt = null;
    if (this.streams > 0) this.#closing = true;
    else this.destroy();
    this.#onRoom(); // for another one
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
    this.#clock.cancelTimer(this.#settingsTimer);
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
      this.#clock.cancelTimer(this.#settingsTimer);
      this.#answerWaiting({ kind: 'reset_before_head', code: 'CLOSED', unsent: true }, null);
      this.#onGone(this);
    });
    session.on('goaway', () => {
      this.#closing = true;
      this.#onRoom(); // for another one: this one does not count any more
    });
    session.on('remoteSettings', () => this.#onSettings(session));
    this.#settingsTimer = this.#clock.setTimer(
      failWithoutSettings,
      this.#settings.connectMs,
      this as Session,
    );
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    this.#http2 = session;
    this.#socket = socket;
  }

  /**
   * Nothing is sent before: a burst on a connection that turns out to take five streams would lose all others. It costs
   * nothing where the peer speaks first, as servers do (RFC 9113 section 3.4). Whoever is too many looks for room anew.
   */
  #onSettings(session: ClientHttp2Session): void {
    if (!this.#isSettled) {
      this.#isSettled = true;
      this.#clock.cancelTimer(this.#settingsTimer);
      const max = Math.min(STREAMS_MAX, session.remoteSettings.maxConcurrentStreams ?? STREAMS_MAX);
      const surplus = this.#waiting.splice(max);
      this.#answerWaiting(null, session);
      const failure: Failure = { kind: 'reset_before_head', code: 'H2_NO_ROOM', unsent: true, noRoom: true };
      for (const callback of surplus) callback(failure, null);
    }
    this.#onRoom();
  }

  /** It is no HTTP/2 server, or none that answers. */
  failWithoutSettings(): void {
    this.#answerWaiting({ kind: 'connect_timeout', afterMs: this.#settings.connectMs }, null);
    this.destroy();
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
    connectMs: settings.connectMs,
  };
}
