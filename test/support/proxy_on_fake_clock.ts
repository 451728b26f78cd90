/**
 * Everything between a client's connection and a backend's, as it is in the process, on a clock that the test moves: timers that
 * take minutes, and limits that are exact to the millisecond, without waiting. Sockets are real; listeners, reloads, signals and
 * the admin API are not part of it (`proxy_under_test.ts` has them).
 *
 *   await using proxy = await startOnFakeClock(forwardTo([backend.address]));
 *   const answer = fetchRaw(proxy.target, '/');
 *   await backend.requestCount(1);
 *   proxy.clock.advance(60_000);
 */

import assert from 'node:assert/strict';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { ListenerSettings } from '../../src/http/listener_settings.ts';
import type { Services, Traffic } from '../../src/http/request.ts';
import { ListenerServer } from '../../src/http/server.ts';
import { SlowClients } from '../../src/http/slow_clients.ts';
import { assembleAtOnce } from '../../src/lifecycle/assemble.ts';
import { Overload } from '../../src/resilience/overload.ts';
import { FakeClock } from './fake_clock.ts';
import type { LogLines } from './log_lines.ts';
import { type Config, load } from './plan_builder.ts';
import { runtimeOnFakeClock } from './runtime_on_fake_clock.ts';

export interface ProxyOnFakeClock extends AsyncDisposable {
  readonly clock: FakeClock;
  /** The listener `main`. */
  readonly target: { readonly port: number };
  readonly lines: LogLines;
  readonly overload: Overload;
  readonly traffic: Traffic;
  /** Of the listener `main`, with the settings that it was made with. */
  readonly listener: ListenerServer;
  readonly settings: ListenerSettings;
  /** What `healthPath` says. */
  isReady: boolean;
}

export interface FakeClockOptions {
  /** Of the clients: HTTP/1.1 unless it is said. */
  readonly protocol?: 'http1' | 'http2';
}

/** No limit of connections is part of what is tested here. */
const NO_LIMITS = {
  processMax: Number.POSITIVE_INFINITY,
  listenerMax: null,
  perIpMax: null,
  floodPenaltyMs: null,
};

export async function startOnFakeClock(
  config: Config,
  { protocol = 'http1' }: FakeClockOptions = {},
): Promise<ProxyOnFakeClock> {
  const { plan, origins } = load(config);
  const clock = new FakeClock();
  const { runtime, lines } = runtimeOnFakeClock(plan, undefined, clock);
  const { random, telemetry, traffic, registry, connections } = runtime;
  const overload = new Overload(plan.process.overload, change =>
    telemetry.emit({ kind: 'overload', ...change }),
  );
  const slowClients = new SlowClients(traffic.active, clock);
  const readiness = { isReady: true };
  const services: Services = {
    planeRef: { current: { plane: assembleAtOnce(plan, origins, runtime) } },
    clock,
    random,
    telemetry,
    traffic,
    instanceId: 'testtest',
    overload,
    isReady: () => readiness.isReady,
  };
  const settings = plan.listeners['main'];
  assert(settings !== undefined, 'the listener of these tests is called main');
  const listener = new ListenerServer(settings, services);
  const sockets = new Set<Socket>();
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const ip = socket.remoteAddress ?? '';
    const tracked = connections.admit(socket, 'main', ip, ip, NO_LIMITS);
    assert(typeof tracked !== 'string');
    listener.accept(socket, tracked, protocol);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

  const stop = async () => {
    const closed = new Promise(resolve => server.close(resolve));
    listener.close();
    for (const socket of sockets) socket.destroy();
    await closed;
    while (traffic.active.size > 0) await turn(); // each request ends with its connection, and says so
    slowClients.dispose();
    registry.dispose();
    lines.end('the proxy has stopped');
    assert.deepEqual(lines.find({ event: 'defect' }), []);
  };
  return Object.assign(readiness, {
    clock,
    target: { port: (server.address() as AddressInfo).port },
    lines,
    overload,
    traffic,
    listener,
    settings,
    [Symbol.asyncDispose]: stop,
  });
}
