/**
 * Counts the WebSocket tunnels of each client on each listener, handshakes included. Tunnels live for hours, so a few
 * thousand of them from one address would take the place of all others.
 */
import { clientKey } from '../security/ip_address.ts';

export class TunnelsPerClient {
  readonly #counts = new Map<string, number>();

  /** Returns the key to give back when the tunnel ends; null: the limit is reached. */
  take(listener: string, clientIp: string, tunnelsMax: number): string | null {
    const key = `${listener} ${clientKey(clientIp)}`;
    const count = this.#counts.get(key) ?? 0;
    if (count >= tunnelsMax) return null;
    this.#counts.set(key, count + 1);
    return key;
  }

  giveBack(key: string): void {
    const left = (this.#counts.get(key) ?? 0) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}
