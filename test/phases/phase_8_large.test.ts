// Phase 8: 10,000 routes and 1,000 endpoints change again and again; requests go on meanwhile. `npm run bench:reload` measures it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { largeConfig } from '../../loadtest/large_config.ts';
import { Pulse } from '../../loadtest/pulse.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { residentBytes } from '../support/process_figures.ts';
import { ROOT, startProxyProcess } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { closedPort } from '../support/scripted_backend.ts';

checkLeaks();

const SIZE = { routes: 10_000, endpoints: 1_000 };
/** Each takes 2.5 s on a quiet machine; FAIRLEAD_LARGE_RELOADS=20 for a longer look. */
const RELOADS = Number(process.env.FAIRLEAD_LARGE_RELOADS ?? 8);
/** By then the history of plans (five of them) is full, and each reload drops a plan. */
const FIRST_LOOK_AFTER = 5;
/** A reload takes more than two seconds of work; a quiet machine shows 40 to 150 ms. Others may have the processor at the time. */
const PAUSE_MS_MAX = 1_000;
const MIB = 1_024 * 1_024;
/** One plan of this size holds 30 MiB. */
const HEAP_GROWTH_BYTES_MAX = 16 * MIB;
/** What a thread has used to load a file of this size goes back to the system late, and not at every look to the same extent. */
const RESIDENT_GROWTH_BYTES_MAX = 256 * MIB;

test('reloads of 10,000 routes and 1,000 endpoints: requests go on, no pause is long, and memory stays', async context => {
  const ports = { port: await closedPort(), adminPort: await closedPort() };
  const config = (edit: number) => largeConfig({ ...SIZE, ...ports, edit });
  await using proxy = await startProxyProcess(config(0), {
    nodeArgs: ['--expose-gc', '--import', join(ROOT, 'test/support/collect_on_signal.ts')],
  });
  const inUse = async (look: number) => {
    proxy.signal('SIGUSR2');
    await proxy.lines.next(({ message }) => /^ignored SIGUSR2/.test(String(message)), look);
    const { text } = await fetchRaw({ port: ports.adminPort }, '/metrics', {
      headers: ['Host', 'localhost'],
    });
    const heap = Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1]) / MIB;
    return { heap, resident: residentBytes(proxy.pid) / MIB };
  };
  const pulses = [new Pulse(ports.port, '/plain'), new Pulse(ports.adminPort, '/livez')];
  const memory = new Map<number, { readonly heap: number; readonly resident: number }>();
  const pausesMs: number[] = [];
  try {
    for (let reload = 1; reload <= RELOADS; reload++) {
      for (const pulse of pulses) pulse.takeLongestMs();
      const before = pulses.map(({ answered }) => answered);
      proxy.rewrite(config(reload));
      proxy.signal('SIGHUP');
      const { result } = await proxy.lines.next({ event: 'reload' }, reload);
      assert.equal(result, 'applied');
      for (const [at, pulse] of pulses.entries())
        assert.ok(pulse.answered > (before[at] ?? 0) + 20, 'requests went on during the reload');
      assert.equal((await fetchRaw(proxy.target(), '/plain')).text, `edit ${reload}`);
      pausesMs.push(...pulses.map(pulse => pulse.takeLongestMs()));
      memory.set(reload, await inUse(reload)); // a collection of all this holds everything up, which no reload does
    }
  } finally {
    for (const pulse of pulses) await pulse.stop();
  }
  const [early, late] = [memory.get(FIRST_LOOK_AFTER), memory.get(RELOADS)];
  assert(early !== undefined && late !== undefined);
  const longestMs = Math.max(...pausesMs);
  context.diagnostic(`longest pause ${Math.round(longestMs)} ms`);
  for (const [reload, { heap, resident }] of memory)
    context.diagnostic(`after ${reload}: heap ${Math.round(heap)} MiB, resident ${Math.round(resident)} MiB`);
  assert.ok(longestMs < PAUSE_MS_MAX, `a pause of ${Math.round(longestMs)} ms`);
  assert.deepEqual(
    pulses.flatMap(({ failures }) => failures),
    [],
  );
  const heapBytes = (late.heap - early.heap) * MIB;
  assert.ok(heapBytes < HEAP_GROWTH_BYTES_MAX, `the heap has grown by ${heapBytes} bytes`);
  const residentGrowth = (late.resident - early.resident) * MIB;
  assert.ok(
    residentGrowth < RESIDENT_GROWTH_BYTES_MAX,
    `resident memory has grown by ${residentGrowth} bytes`,
  );
});
