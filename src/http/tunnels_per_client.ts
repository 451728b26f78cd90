/**
 * How many WebSocket tunnels, and handshakes that may become one, each client has on each listener: a tunnel lives for
 * hours, so that a few thousand of them from one address would take the place of everybody else.
 */
import { clientKey } from '../security/client_address.ts';

export class TunnelsPerClient {
  readonly #counts = new Map<string, number>();

  /** The key to give back when the tunnel ends; null: the client has as many as it may. */
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
