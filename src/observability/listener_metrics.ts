/** Counters of what happens to client connections before there is a request: one set for each listener. */
import type { Registry } from 'prom-client';
import { CUT_CAUSES, PROXY_PROTOCOL_REFUSALS, REFUSAL_CAUSES } from '../net/connection.ts';
import { TLS_REFUSALS } from '../net/tls_refusal.ts';
import { defineCounter } from './metric_definition.ts';

const LABELS: ['listener', 'cause'] = ['listener', 'cause'];

export class ListenerMetrics {
  readonly #counters;
  /** Listeners of the running plan. An event of a listener that is gone must not bring back its series. */
  #listeners: ReadonlySet<string> = new Set();

  constructor(registry: Registry) {
    const define = (name: string, help: string, causes: readonly string[]) => ({
      counter: defineCounter(registry, name, help, LABELS),
      causes,
    });
    this.#counters = {
      refused: define(
        'connections_refused_total',
        'Client connections refused because of a connection limit',
        REFUSAL_CAUSES,
      ),
      cut: define(
        'connections_cut_total',
        'Client connections ended because of what came on them: too much pipelining, a flood of HTTP/2 frames, a broken frame',
        CUT_CAUSES,
      ),
      tlsRefused: define('tls_refused_total', 'Failed TLS handshakes of clients', TLS_REFUSALS),
      proxyProtocolRefused: define(
        'proxy_protocol_refused_total',
        'Client connections refused because of their PROXY protocol header',
        PROXY_PROTOCOL_REFUSALS,
      ),
    };
  }

  /** Ignored for a listener that the running plan does not have. */
  count(
    what: 'refused' | 'cut' | 'tlsRefused' | 'proxyProtocolRefused',
    listener: string,
    cause: string,
    by = 1,
  ): void {
    if (this.#listeners.has(listener)) this.#counters[what].counter.inc({ listener, cause }, by);
  }

  /** The listeners of the plan that is being assembled: each new one starts with all its series at 0, those of others are removed at `retain`. */
  add(listener: string): void {
    if (this.#listeners.has(listener)) return;
    this.#listeners = new Set([...this.#listeners, listener]);
    for (const { counter, causes } of Object.values(this.#counters))
      for (const cause of causes) counter.inc({ listener, cause }, 0);
  }

  retain(used: ReadonlySet<string>): void {
    for (const listener of this.#listeners)
      if (!used.has(listener))
        for (const { counter, causes } of Object.values(this.#counters))
          for (const cause of causes) counter.remove({ listener, cause });
    this.#listeners = used;
  }
}
