/**
 * The listeners of the process: opened at start and by reloads, served by one `ListenerServer` each, closed when
 * a plan no longer names them. A listener is the same as long as its name and address are.
 */

import type { ListenerSettings } from '../http/listener_settings.ts';
import type { Services } from '../http/request.ts';
import { ListenerServer } from '../http/server.ts';
import type { ConnectionTable } from '../net/connection.ts';
import { type Address, formatAddress, parseAddress } from '../net/endpoint.ts';
import { type Listener, openListener } from '../net/listener.ts';
import { clientKey, plainAddress } from '../security/client_address.ts';

interface OpenListener {
  readonly key: string;
  readonly listener: Listener;
  readonly server: ListenerServer;
  readonly door: PendingConnections;
}

type PendingConnection = Parameters<ListenerServer['accept']>;

/** Connections that come between `bind` and the swap wait here: the plan that knows their listener is not current yet. */
class PendingConnections {
  readonly #server: ListenerServer;
  #waiting: PendingConnection[] | null = [];
  #isShut = false;

  constructor(server: ListenerServer) {
    this.#server = server;
  }

  enter(...arrival: PendingConnection): void {
    if (this.#isShut) arrival[0].destroy();
    else if (this.#waiting !== null) this.#waiting.push(arrival);
    else this.#server.accept(...arrival);
  }

  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const arrival of waiting) {
      const [socket, , protocol] = arrival;
      if (socket.destroyed) continue;
      this.#server.accept(...arrival);
      if (protocol === 'http1') socket.resume(); // whoever had to look at its first bytes has paused it
    }
  }

  /** The listener was not wanted after all. */
  shut(): void {
    this.#isShut = true;
    for (const [socket] of this.#waiting ?? []) socket.destroy();
    this.#waiting = null;
  }
}

export class Listeners {
  readonly #services: Services;
  readonly #connections: ConnectionTable;
  readonly #processConnectionsMax: () => number;
  #open = new Map<string, OpenListener>();
  #prepared = new Map<string, OpenListener>();
  /** Names of the inherited descriptors that a listener has had, open or not. */
  readonly #descriptors = new Set<string>();
  /** No longer in the plan, with connections that still end. */
  readonly #retired = new Set<OpenListener>();

  constructor(services: Services, connections: ConnectionTable, processConnectionsMax: () => number) {
    this.#services = services;
    this.#connections = connections;
    this.#processConnectionsMax = processConnectionsMax;
  }

  /** Name and bound address of each, for status and for tests that ask for port 0. */
  get addresses(): ReadonlyMap<string, string> {
    return new Map([...this.#open].map(([name, { listener }]) => [name, listener.address()]));
  }

  /**
   * Binds what the next plan names and is not open yet. Returns why that failed; nothing is left open then.
   * A bound listener accepts at once; what comes waits for the plan that `commit` makes current.
   */
  async prepare(next: Readonly<Record<string, ListenerSettings>>): Promise<string[]> {
    const problems: string[] = [];
    for (const settings of Object.values(next)) {
      const key = listenerKey(settings);
      if (this.#open.get(settings.name)?.key === key) continue;
      const gone = this.#descriptorProblem(settings);
      if (gone !== null) {
        problems.push(gone);
        continue;
      }
      try {
        this.#prepared.set(settings.name, await this.#bind(settings, key));
        if (settings.address.kind === 'fd') this.#descriptors.add(settings.address.name);
      } catch (error) {
        problems.push(
          (isInUse(error) ? this.#conflict(settings) : null) ??
            (error instanceof Error ? error.message : String(error)),
        );
      }
    }
    if (problems.length > 0) await this.discard();
    return problems;
  }

  /** What holds the address may be a listener of this process that is to become another one. */
  #conflict({ name, address }: ListenerSettings): string | null {
    for (const [other, { listener }] of this.#open) {
      const held = parseAddress(listener.address()); // with the port that was given
      if (typeof held === 'string' || !isSamePlace(held, address)) continue;
      return `listener ${name}: listener ${other} of this process still uses ${formatAddress(address)}; to rename a listener, widen its address, change reusePort or switch between plain and TLS, restart the process or open it on another port first`;
    }
    return null;
  }

  /** A descriptor of the service manager is there once. Its number may mean another file as soon as it is closed. */
  #descriptorProblem({ name, address }: ListenerSettings): string | null {
    if (address.kind !== 'fd' || !this.#descriptors.has(address.name)) return null;
    return `listener ${name}: ${formatAddress(address)} was taken by a listener of an earlier plan, and can be taken once; restart the process`;
  }

  async discard(): Promise<void> {
    const prepared = [...this.#prepared.values()];
    this.#prepared.clear();
    for (const { door, server } of prepared) {
      door.shut();
      server.close();
    }
    await Promise.all(prepared.map(({ listener }) => listener.stopAccepting()));
  }

  /** After the swap: prepared listeners become open ones, gone ones stop accepting, the rest takes its new settings. */
  commit(next: Readonly<Record<string, ListenerSettings>>, drainMs: number): void {
    for (const [name, open] of this.#open) {
      const settings = next[name];
      if (settings !== undefined && listenerKey(settings) === open.key) {
        open.listener.setSettings(settings);
        open.server.update(settings);
        open.server.onPlan();
        continue;
      }
      this.#open.delete(name);
      void this.#retire(open, drainMs);
      this.#services.telemetry.emit({ kind: 'listener_closed', listener: name });
    }
    for (const [name, open] of this.#prepared) {
      this.#open.set(name, open);
      open.server.onPlan();
      open.door.open();
      this.#services.telemetry.emit({
        kind: 'listener_opened',
        listener: name,
        address: open.listener.address(),
      });
    }
    this.#prepared.clear();
  }

  async #retire(open: OpenListener, drainMs: number): Promise<void> {
    this.#retired.add(open);
    open.server.drain(); // from the very next answer on
    await open.listener.stopAccepting();
    await open.server.retire(drainMs);
    this.#retired.delete(open);
  }

  /** Connections end as they become quiet. */
  drain(): void {
    for (const { server } of this.#open.values()) server.drain();
  }

  goAway(): void {
    for (const { server } of this.#open.values()) server.goAway();
  }

  async stopAccepting(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ listener }) => listener.stopAccepting()));
  }

  close(): void {
    for (const { server } of [...this.#open.values(), ...this.#retired]) server.close();
  }

  async #bind(settings: ListenerSettings, key: string): Promise<OpenListener> {
    const server = new ListenerServer(settings, this.#services);
    const door = new PendingConnections(server);
    const { clock, planeRef, telemetry } = this.#services;
    const listener = await openListener(settings, {
      clock,
      connections: this.#connections,
      processConnectionsMax: this.#processConnectionsMax,
      plainAddress,
      clientKey,
      isTrustedProxy: ip =>
        planeRef.current.plane.listeners.get(settings.name)?.trusted.contains(ip) ?? false,
      env: process.env,
      onConnection: (...arrival) => door.enter(...arrival),
      onRefused: (cause, count) =>
        telemetry.emit({ kind: 'connections_refused', listener: settings.name, cause, count }),
      onTlsRefused: (cause, code, count) =>
        telemetry.emit({ kind: 'tls_refused', listener: settings.name, cause, code, count }),
      warn: message => telemetry.emit({ kind: 'warning', message }),
    });
    return { key, listener, server, door };
  }
}

/** The same port, whatever the addresses: one of them may be the wildcard. */
function isSamePlace(a: Address, b: Address): boolean {
  if (a.kind === 'tcp' && b.kind === 'tcp') return a.port === b.port && a.port !== 0;
  return formatAddress(a) === formatAddress(b);
}

function isInUse(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'EADDRINUSE') || isInUse(error.cause);
}

function listenerKey(settings: ListenerSettings): string {
  const { address, tls, reusePort } = settings;
  return `${formatAddress(address)} ${tls === null ? 'plain' : 'tls'} ${reusePort ? 'shared' : 'own'}`;
}
