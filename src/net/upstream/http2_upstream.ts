/**
 * HTTP/2 connections to one endpoint, on node:http2: by ALPN with TLS, otherwise with prior knowledge (RFC 9113
 * section 3.3). A slot is one stream. A session takes streams up to the peer's limit, and another session is opened
 * only when all are full. Undici's HTTP/2 is not used: it sends no request trailers, and full duplex (gRPC) needs the
 * stream itself.
 */
import type { Clock } from '../../resilience/clock.ts';
import type { Random } from '../../resilience/random.ts';
import type {
  Upstream,
  UpstreamCounts,
  UpstreamLimits,
  UpstreamSettings,
  UpstreamSlot,
} from '../upstream.ts';
import { Session } from './http2_session.ts';
import { Http2Slot } from './http2_slot.ts';

/**
 * Exhausted connections do not count against the limit, so that others can be opened; all together are at most this
 * many times the limit.
 */
const EXHAUSTED_FACTOR_MAX = 2;

export class Http2Upstream implements Upstream {
  #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sessions: Session[] = [];
  readonly #capacityObservers = new Set<() => void>();
  #inUse = 0;
  #retired = false;

  constructor(settings: UpstreamSettings, clock: Clock, random: Random) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
  }

  get counts(): UpstreamCounts {
    return { open: this.#sessions.length, inUse: this.#inUse };
  }

  get hasCapacity(): boolean {
    return this.#sessions.some(session => session.hasCapacity) || this.#hasCapacityForSession;
  }

  get #hasCapacityForSession(): boolean {
    const { connectionsMax } = this.#settings;
    let fresh = 0;
    let used = 0;
    for (const session of this.#sessions) {
      if (!session.isExhausted) fresh++;
      if (!session.isExhausted || session.streams > 0) used++;
    }
    return fresh < connectionsMax && used < connectionsMax * EXHAUSTED_FACTOR_MAX;
  }

  take(): UpstreamSlot | null {
    let session = this.#sessions.findLast(candidate => candidate.hasCapacity);
    if (session === undefined) {
      if (!this.#hasCapacityForSession) return null;
      session = this.#openSession();
    }
    this.#inUse++;
    session.streams++;
    return new Http2Slot(
      session,
      this.#settings,
      this.#clock,
      stale => this.#replacementFor(stale),
      () => this.#notifyCapacity(),
    );
  }

  /** A new session in place of one that may be dead; the same one if the limit allows no other. */
  #replacementFor(stale: Session): Session {
    if (!this.#hasCapacityForSession) return stale;
    const session = this.#openSession();
    session.streams++;
    stale.endStream(this.#retired);
    return session;
  }

  #openSession(): Session {
    for (const session of [...this.#sessions]) if (session.isExhausted) session.closeIfIdle();
    const session = new Session(
      this.#settings,
      this.#clock,
      this.#random,
      gone => this.#forget(gone),
      () => this.#notifyCapacity(),
    );
    this.#sessions.push(session);
    return session;
  }

  release(slot: UpstreamSlot): void {
    this.#inUse--;
    (slot as Http2Slot).endUse(this.#retired);
  }

  onCapacity(observer: () => void): () => void {
    this.#capacityObservers.add(observer);
    return () => this.#capacityObservers.delete(observer);
  }

  setLimits(limits: UpstreamLimits): void {
    this.#settings = { ...this.#settings, ...limits };
    for (const session of [...this.#sessions]) {
      session.setLimits(limits);
      if (session.streams === 0) session.closeIfIdle();
    }
    this.#notifyCapacity();
  }

  retire(): void {
    this.#retired = true;
    for (const session of [...this.#sessions]) session.closeIfIdle();
  }

  destroy(): void {
    this.#retired = true;
    for (const session of [...this.#sessions]) session.destroy();
  }

  #forget(session: Session): void {
    const at = this.#sessions.indexOf(session);
    if (at < 0) return;
    this.#sessions.splice(at, 1);
    this.#notifyCapacity();
  }

  #notifyCapacity(): void {
    for (const observer of this.#capacityObservers) observer();
  }
}
