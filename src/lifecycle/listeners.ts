/**
 * The listeners of the process: opened at the start and by reloads, served by one `ListenerServer` each, closed when
 * a plan no longer names them. A listener is identified by its name and address.
 */

import type { ListenerSettings } from '../http/listener_settings.ts';
import type { Services } from '../http/request.ts';
import { ListenerServer } from '../http/server.ts';
import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import type { ConnectionTable } from '../net/connection.ts';
import { type Listener, openListener } from '../net/listener.ts';
import { buildNetworkSet } from '../security/client_address.ts';
import { clientKey, plainAddress } from '../security/ip_address.ts';

interface OpenListener {
  readonly key: string;
  readonly listener: Listener;
  readonly server: ListenerServer;
  readonly door: PendingConnections;
}

type PendingConnection = Parameters<ListenerServer['accept']>;

/**
 * Connections that arrive between `bind` and the swap wait here, because the plan with their listener is not current
 * yet.
 */
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
      if (protocol === 'http1') socket.resume(); // protocol detection has paused it
    }
  }

  /** The listener is not needed after all. */
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
  /** Names of the inherited descriptors that a listener has used, even if it is closed now. */
  readonly #descriptors = new Set<string>();
  /** Listeners that left the plan and still have open connections. */
  readonly #retired = new Set<OpenListener>();

  constructor(services: Services, connections: ConnectionTable, processConnectionsMax: () => number) {
    this.#services = services;
    this.#connections = connections;
    this.#processConnectionsMax = processConnectionsMax;
  }

  /** Name and bound address of each listener, for the status and for tests that ask for port 0. */
  get addresses(): ReadonlyMap<string, string> {
    return new Map([...this.#open].map(([name, { listener }]) => [name, listener.address()]));
  }

  /**
   * Binds the listeners of the next plan that are not open yet. Returns the problems; on failure none of them stays
   * open. A bound listener accepts at once; its connections wait for the plan that `commit` makes current.
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

  /** Another listener of this process may hold the address, and be about to change. */
  #conflict({ name, address }: ListenerSettings): string | null {
    for (const [other, { listener }] of this.#open) {
      const held = parseAddress(listener.address()); // with the port that was assigned
      if (typeof held === 'string' || !isSamePlace(held, address)) continue;
      return `listener ${name}: listener ${other} of this process still uses ${formatAddress(address)}; to rename a listener, widen its address, change reusePort or switch between plain and TLS, restart the process or open it on another port first`;
    }
    return null;
  }

  /** A descriptor of the service manager can be used once: after it is closed, its number may be another file. */
  #descriptorProblem({ name, address }: ListenerSettings): string | null {
    if (address.kind !== 'fd' || !this.#descriptors.has(address.name)) return null;
    return `listener ${name}: ${formatAddress(address)} was used by a listener of an earlier plan, and can be used only once; restart the process`;
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

  /** After the swap: prepared listeners open, removed ones stop accepting, the others get their new settings. */
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
    open.server.drain(); // from the very next response on
    await open.listener.stopAccepting();
    await open.server.retire(drainMs);
    this.#retired.delete(open);
  }

  /** Connections end as they become idle. */
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
      buildNetworkSet,
      isTrustedProxy: ip =>
        planeRef.current.plane.listeners.get(settings.name)?.trust.networks.contains(ip) ?? false,
      env: process.env,
      onConnection: (...arrival) => door.enter(...arrival),
      onRefused: (cause, count) =>
        telemetry.emit({ kind: 'connections_refused', listener: settings.name, cause, count }),
      onTlsRefused: (cause, code, count) =>
        telemetry.emit({ kind: 'tls_refused', listener: settings.name, cause, code, count }),
      onProxyRefused: (cause, peerIp, count) =>
        telemetry.emit({ kind: 'proxy_protocol_refused', listener: settings.name, cause, peerIp, count }),
      warn: message => telemetry.emit({ kind: 'warning', message }),
    });
    return { key, listener, server, door };
  }
}

/** The same port, whatever the hosts: one of them may be the wildcard. */
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
