/**
 * HTTP/1.1 connections to one endpoint, on undici.
 *
 * Each slot holds at most one socket. So the number of sockets is bounded by the number of slots, nothing queues inside
 * undici, and it is known which socket serves which request. Free slots are a stack: the backend is least likely to have
 * closed the most recently used socket, and surplus connections become idle for long.
 */
import assert from 'node:assert/strict';
import type { Clock } from '../../resilience/clock.ts';
import type { Random } from '../../resilience/random.ts';
import type { ConnectTarget } from '../connect.ts';
import type {
  Upstream,
  UpstreamCounts,
  UpstreamLimits,
  UpstreamSettings,
  UpstreamSlot,
} from '../upstream.ts';
import { Http1Slot } from './http1_slot.ts';

/** Jitter of maxAge, so that connections opened together do not end together. */
const AGE_JITTER = 0.1;

export class Http1Upstream implements Upstream {
  #settings: UpstreamSettings;
  #target: ConnectTarget;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #slots = new Set<Http1Slot>();
  /** Free slots that had an open connection when they were given back. */
  readonly #idle: Http1Slot[] = [];
  /** Free slots without an open connection. */
  readonly #unconnected: Http1Slot[] = [];
  readonly #capacityObservers = new Set<() => void>();
  #inUse = 0;
  #retired = false;

  constructor(settings: UpstreamSettings, clock: Clock, random: Random) {
    const { address, tls, connectTimeoutMs } = settings;
    this.#settings = settings;
    this.#target = { address, tls, protocols: ['http/1.1'], connectTimeoutMs };
    this.#clock = clock;
    this.#random = random;
  }

  get counts(): UpstreamCounts {
    let open = 0;
    for (const slot of this.#slots) if (slot.isOpen) open++;
    return { open, inUse: this.#inUse };
  }

  get hasCapacity(): boolean {
    return (
      this.#idle.length > 0 ||
      this.#unconnected.length > 0 ||
      this.#slots.size < this.#settings.connectionsMax
    );
  }

  take(): UpstreamSlot | null {
    const slot = this.#takeIdle() ?? this.#unconnected.pop() ?? this.#create();
    if (slot !== null) this.#inUse++;
    return slot;
  }

  release(slot: UpstreamSlot): void {
    assert(slot instanceof Http1Slot && this.#inUse > 0, 'a slot is given back to whom it was taken from');
    this.#inUse--;
    slot.endUse();
    if (!this.#retired && slot.isExhausted)
      slot.closeThen(() => this.#comeBack(slot)); // two connections at the same time would exceed the limit
    else this.#put(slot);
  }

  onCapacity(observer: () => void): () => void {
    this.#capacityObservers.add(observer);
    return () => this.#capacityObservers.delete(observer);
  }

  setLimits(limits: UpstreamLimits): void {
    this.#settings = { ...this.#settings, ...limits };
    this.#target = { ...this.#target, connectTimeoutMs: limits.connectTimeoutMs };
    this.#dropFree();
    this.#notifyCapacity();
  }

  retire(): void {
    this.#retired = true;
    this.#dropFree();
  }

  destroy(): void {
    this.#retired = true;
    this.#idle.length = 0;
    this.#unconnected.length = 0;
    for (const slot of this.#slots) this.#drop(slot);
  }

  /** Skips connections that were closed meanwhile; each is met at most once. */
  #takeIdle(): Http1Slot | null {
    for (let slot = this.#idle.pop(); slot !== undefined; slot = this.#idle.pop()) {
      if (slot.isConnected) return slot;
      this.#unconnected.push(slot);
    }
    return null;
  }

  #create(): Http1Slot | null {
    if (this.#slots.size >= this.#settings.connectionsMax) return null;
    const jitter = 1 + AGE_JITTER * (2 * this.#random.unit() - 1);
    const ageMsMax = (this.#settings.ageMsMax ?? Number.POSITIVE_INFINITY) * jitter;
    const slot = new Http1Slot(this.#target, this.#settings, ageMsMax, this.#clock);
    this.#slots.add(slot);
    return slot;
  }

  #comeBack(slot: Http1Slot): void {
    this.#put(slot);
    this.#notifyCapacity();
  }

  #notifyCapacity(): void {
    for (const observer of this.#capacityObservers) observer();
  }

  #dropFree(): void {
    for (const slot of [...this.#idle.splice(0), ...this.#unconnected.splice(0)]) this.#drop(slot);
  }

  #put(slot: Http1Slot): void {
    if (this.#retired || slot.settings !== this.#settings) this.#drop(slot);
    else this.#idle.push(slot);
  }

  #drop(slot: Http1Slot): void {
    this.#slots.delete(slot);
    slot.destroy();
  }
}
