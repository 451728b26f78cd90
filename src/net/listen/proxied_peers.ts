/**
 * The load balancers in front of a listener that write a PROXY protocol header before the bytes of each client: from them it is
 * required, from everybody else the connection is refused. A header that anybody may write could name anybody.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../resilience/clock.ts';
import type { ProxyProtocolRefusal } from '../connection.ts';
import { type ProxiedConnection, readProxyHeader } from './proxy_protocol.ts';
import { ThrottledLog } from './throttled_log.ts';

export interface ProxyProtocolSettings {
  /** Networks in CIDR form, or `unix`; at least one. */
  readonly from: readonly string[];
  /** From the accepted connection to the complete header. */
  readonly headerMs: number;
  /** Connections whose header is still to come; more are refused. */
  readonly pendingMax: number;
}

/** `security/client_address` builds it: this folder does not know what a network is. */
export interface PeerNetworks {
  contains(ip: string): boolean;
}

interface ProxiedPeersDeps {
  readonly clock: Clock;
  readonly buildNetworkSet: (cidrs: readonly string[]) => PeerNetworks;
  readonly onEachRefused: () => void;
  /** At most once a second for each cause; `count` is how many since the last time, `peerIp` is whose, of the last one. */
  readonly onProxyRefused: (cause: ProxyProtocolRefusal, peerIp: string, count: number) => void;
}

const NOBODY: PeerNetworks = { contains: () => false };

export class ProxiedPeers {
  readonly #deps: ProxiedPeersDeps;
  readonly #refused: ThrottledLog<ProxyProtocolRefusal>;
  /** Of the last connection that was refused for each cause. */
  readonly #refusedIps = new Map<ProxyProtocolRefusal, string>();
  #settings: ProxyProtocolSettings | null = null;
  #from = NOBODY;
  #pending = 0;

  constructor(settings: ProxyProtocolSettings | null, deps: ProxiedPeersDeps) {
    this.#deps = deps;
    this.#refused = new ThrottledLog(deps.clock, (cause, count) =>
      deps.onProxyRefused(cause, this.#refusedIps.get(cause) ?? '', count),
    );
    this.setSettings(settings);
  }

  /** For connections that come from now on. */
  setSettings(settings: ProxyProtocolSettings | null): void {
    if (settings === this.#settings) return;
    this.#settings = settings;
    this.#from = settings === null ? NOBODY : this.#deps.buildNetworkSet(settings.from);
  }

  /**
   * `onHeader` is called with the client that the header names, or null where the balancer speaks for itself. Whoever may not,
   * or sends something else, is reset, and there is no call.
   */
  read(socket: Socket, peerIp: string, onHeader: (client: ProxiedConnection | null) => void): void {
    const settings = this.#settings;
    if (settings === null || !this.#from.contains(peerIp)) this.#refuse(socket, peerIp, 'stranger');
    else if (this.#pending >= settings.pendingMax) this.#refuse(socket, peerIp, 'pending');
    else {
      this.#pending++;
      readProxyHeader(socket, settings.headerMs, this.#deps.clock, {
        onHeader: client => {
          this.#pending--;
          onHeader(client);
        },
        onRefused: cause => {
          this.#pending--;
          this.#refuse(socket, peerIp, cause);
        },
      });
    }
  }

  #refuse(socket: Socket, peerIp: string, cause: ProxyProtocolRefusal | null): void {
    reset(socket);
    if (cause === null) return;
    this.#deps.onEachRefused();
    this.#refusedIps.set(cause, peerIp);
    this.#refused.add(cause);
  }
}

/** Closes at once, whatever is still to be read. Of a Unix socket, which has no local address, there is no reset. */
export function reset(socket: Socket): void {
  if (socket.localAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
