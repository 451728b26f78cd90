import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacitySignalOf } from '../../src/load_balancer/capacity_signal.ts';
import { FakeUpstream } from './fake_cluster.ts';

test('all pools that share connections are notified of capacity, and no others', () => {
  const upstream = new FakeUpstream(1);
  const heard: string[] = [];
  const leave = capacitySignalOf(upstream).observe(() => heard.push('older'));
  capacitySignalOf(upstream).observe(() => heard.push('newer'));
  capacitySignalOf(new FakeUpstream(1)).observe(() => heard.push('other'));
  capacitySignalOf(upstream).notify();
  assert.deepEqual(heard, ['older', 'newer']);
  leave();
  upstream.addCapacity(2);
  assert.deepEqual(
    heard,
    ['older', 'newer', 'newer'],
    'the upstream itself can say so, and who has left hears nothing',
  );
});
