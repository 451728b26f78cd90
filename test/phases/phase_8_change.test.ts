// Phase 8: the configuration of a running process changes 200 times under traffic of every kind, and nobody notices who is not meant.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { CHANGES, type Change, ChangingConfig } from '../support/changing_config.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { listeningPorts, openDescriptors, residentBytes } from '../support/process_figures.ts';
import { type ProxyProcess, ROOT, startProxyProcess } from '../support/proxy_under_test.ts';
import { connectRaw, fetchRaw } from '../support/raw_client.ts';
import { closedPort } from '../support/scripted_backend.ts';
import { Traffic } from '../support/traffic.ts';
import { TrafficBackend } from '../support/traffic_backend.ts';

checkLeaks();

const ROUNDS = 25; // of 8 changes
const MIB = 1_024 * 1_024;
/** By then everything is compiled, and the history of plans is full. */
const FIRST_LOOK_AFTER = 60;
/** Garbage is collected each time: otherwise resident memory tells how much of it there was. */
const LOOK_EVERY = 20;
/** In use after a collection; it goes up and down by 3 MiB with the traffic. What 140 reloads leave behind is seen from 45 KiB each. */
const HEAP_GROWTH_BYTES_MAX = 6 * MIB;
/** Resident memory also holds what the allocator keeps for later. */
const RESIDENT_GROWTH_BYTES_MAX = 48 * MIB;
const SETTLE_MS_MAX = 20_000;
const ALIVE_MS_MAX = 240_000;

test('200 changes of the configuration, one in eight a broken file, concern nobody but whom they are meant for', async context => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-change-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  await using one = await TrafficBackend.start();
  await using guest = await TrafficBackend.start();
  const adminPort = await closedPort();
  const config = new ChangingConfig(folder, { backend: one.address, guest: guest.address, adminPort });
  await using proxy = await startProxyProcess(config.current(), {
    aliveMsMax: ALIVE_MS_MAX,
    nodeArgs: ['--expose-gc', '--import', join(ROOT, 'test/support/collect_on_signal.ts')],
  });
  const operator = new Operator(proxy, config, adminPort);
  await operator.make('route edited'); // threads, tables and files of the first reload are there
  const before = { ports: listeningPorts(proxy.pid), descriptors: await operator.descriptorsAtRest() };

  await using traffic = await Traffic.start(proxy, one);
  await traffic.goOn();
  const memory = new Map<number, { readonly heap: number; readonly resident: number }>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of CHANGES) {
      await operator.make(kind);
      await operator.look(kind);
      assert.deepEqual(traffic.failures, [], `after change ${operator.changes}, ${kind}`);
      if (operator.changes % LOOK_EVERY === 0) memory.set(operator.changes, await operator.memory());
    }
  }
  await traffic.goOn();
  context.diagnostic(traffic.summary());
  await traffic.stop();
  assert.deepEqual(traffic.failures, []);
  assert.equal(traffic.connections, traffic.clients, 'no kept connection was closed');
  assert.ok(guest.seen.size > 0, 'an endpoint that was added had its share');

  assert.equal(operator.changes, 8 * ROUNDS + 1);
  assert.equal(proxy.lines.find({ event: 'reload', result: 'rejected' }).length, ROUNDS, 'each broken file');
  assert.equal(proxy.lines.find({ event: 'reload', result: 'applied' }).length, 7 * ROUNDS + 1, 'the others');
  assert.equal(proxy.lines.find({ event: 'listener_opened', listener: 'main' }).length, 1);

  const [early, late] = [memory.get(FIRST_LOOK_AFTER), memory.get(8 * ROUNDS)];
  assert(early !== undefined && late !== undefined);
  const grown = { heap: late.heap - early.heap, resident: late.resident - early.resident };
  context.diagnostic(
    `heap ${shown(early.heap)} -> ${shown(late.heap)}, resident ${shown(early.resident)} -> ${shown(late.resident)}`,
  );
  assert.ok(grown.heap < HEAP_GROWTH_BYTES_MAX, `the heap has grown by ${shown(grown.heap)}`);
  assert.ok(
    grown.resident < RESIDENT_GROWTH_BYTES_MAX,
    `resident memory has grown by ${shown(grown.resident)}`,
  );

  if (config.hasPassing) await operator.make('listener toggled');
  assert.deepEqual(listeningPorts(proxy.pid), before.ports);
  const left = await operator.descriptorsAtRest(before.descriptors);
  context.diagnostic(`descriptors ${before.descriptors} -> ${left}`);
  assert.ok(left <= before.descriptors, `${left} descriptors are open, ${before.descriptors} were`);
});

class Operator {
  changes = 0;
  readonly #proxy: ProxyProcess;
  readonly #config: ChangingConfig;
  readonly #adminPort: number;
  #looks = 0;
  #passingPort = 0;

  constructor(proxy: ProxyProcess, config: ChangingConfig, adminPort: number) {
    this.#proxy = proxy;
    this.#config = config;
    this.#adminPort = adminPort;
  }

  /** Writes the file, asks for a reload, and waits until the process has reported what became of it. */
  async make(kind: Change): Promise<void> {
    this.#proxy.rewrite(this.#config.change(kind));
    this.#proxy.signal('SIGHUP');
    const line = await this.#proxy.lines.next({ event: 'reload' }, ++this.changes);
    const { result, problems } = line;
    assert.equal(result, kind === 'file broken' ? 'rejected' : 'applied', JSON.stringify(line));
    assert.equal((problems as unknown[]).length > 0, kind === 'file broken', 'a refusal says why');
  }

  /** The change has had its effect, seen by clients that come now. */
  async look(kind: Change): Promise<void> {
    const { extraRoute } = this.#config;
    switch (kind) {
      case 'route added':
        assert.equal(await this.#text(`/${extraRoute?.name}`), extraRoute?.name);
        break;
      case 'route removed':
        assert.notEqual(await this.#text(`/${extraRoute?.name}`), extraRoute?.name);
        break;
      case 'certificate swapped':
        assert.equal(await this.#shownCertificate(), fingerprint(this.#config.certificate.cert));
        break;
      case 'listener toggled':
        await this.#lookAtPassing();
        break;
      case 'route edited':
      case 'file broken': // the last good plan serves on
        assert.equal(await this.#text('/edited'), this.#config.editedText);
        break;
      case 'cluster edited':
      case 'endpoint toggled': // the traffic tells
    }
  }

  /** After a collection of garbage. */
  async memory(): Promise<{ readonly heap: number; readonly resident: number }> {
    this.#proxy.signal('SIGUSR2');
    await this.#proxy.lines.next(({ message }) => /^ignored SIGUSR2/.test(String(message)), ++this.#looks);
    const host = { headers: ['Host', 'localhost'] };
    const { text } = await fetchRaw({ port: this.#adminPort }, '/metrics', host);
    const heap = Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1]);
    assert.ok(heap > 0, 'the metrics have the heap');
    return { heap, resident: residentBytes(this.#proxy.pid) };
  }

  /**
   * When connections to backends have been closed after their idle time. No event tells that the last descriptor is closed, so this
   * looks again and again: until there are no more than `atMost`, or for a while in which the number stays the same.
   */
  async descriptorsAtRest(atMost = 0): Promise<number> {
    const endsAtMs = performance.now() + (atMost === 0 ? 1_000 : SETTLE_MS_MAX);
    while (openDescriptors(this.#proxy.pid) > atMost && performance.now() < endsAtMs) await sleep(20);
    return openDescriptors(this.#proxy.pid);
  }

  async #text(path: string): Promise<string> {
    return (await fetchRaw(this.#proxy.target(), path, { headers: ['Host', 'app.test', 'X-Id', 'look'] }))
      .text;
  }

  async #lookAtPassing(): Promise<void> {
    if (this.#config.hasPassing) {
      this.#passingPort = this.#proxy.target('passing').port;
      assert.equal((await fetchRaw({ port: this.#passingPort }, '/edited')).text, this.#config.editedText);
      return;
    }
    await assert.rejects(connectRaw({ port: this.#passingPort }), { code: 'ECONNREFUSED' });
  }

  async #shownCertificate(): Promise<string> {
    const { port } = this.#proxy.target('secure');
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const shown = socket.getPeerX509Certificate()?.fingerprint256 ?? 'none';
    socket.destroy();
    await once(socket, 'close');
    return shown;
  }
}

function fingerprint(cert: string): string {
  return new X509Certificate(cert).fingerprint256;
}

function shown(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
