// What `change_races.test.ts` does not ask of the exporter: its bounds, its first second, and what it says of a collector.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { OtlpExporter } from '../../src/observability/otlp_exporter.ts';
import type { Span } from '../../src/observability/otlp_spans.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { checkLeaks } from '../support/leak_check.ts';

checkLeaks();

const SPAN = { name: 'GET' } as Span;
const spans = (count: number) => Array.from({ length: count }, () => SPAN);

async function collecting(
  answer: () => number,
  path = '',
  headers: readonly (readonly [string, string])[] = [],
) {
  const asked: {
    url: string;
    token: string | undefined;
    type: string | undefined;
    spans: number;
    service: unknown;
    agent: string | undefined;
  }[] = [];
  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const [resource] = JSON.parse(text).resourceSpans;
    const { url = '', headers } = request;
    const service = resource.resource.attributes.map(
      ({ key, value }: { key: string; value: { stringValue: string } }) => `${key}=${value.stringValue}`,
    );
    const token = headers['x-token'] as string | undefined;
    asked.push({
      url,
      token,
      type: headers['content-type'],
      spans: resource.scopeSpans[0].spans.length,
      service,
      agent: headers['user-agent'],
    });
    response.writeHead(answer()).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = new FakeClock();
  const told: string[] = [];
  const exporter = new OtlpExporter(
    {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
      sample: 1,
      timeoutMs: 5_000,
      headers: [['X-Token', 'abc'], ...headers],
      resource: { 'service.name': 'edge', zone: 'a' },
    },
    '1.2.3',
    {
      exported: count => void told.push(`exported ${count}`),
      dropped: (cause, count) => void told.push(`${cause} ${count}`),
      onFailing: why => void told.push(why ?? 'well again'),
    },
    clock,
  );
  return {
    asked,
    told,
    clock,
    exporter,
    /** Something more was told. */
    async saidBy(count: number) {
      while (told.length < count) await new Promise(resolve => setImmediate(resolve));
    },
    async [Symbol.asyncDispose]() {
      await exporter.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('spans wait a second for others, and go to /v1/traces with the fields of the configuration and the resource of the service', async () => {
  await using all = await collecting(() => 200, '/otel/');
  all.exporter.add(spans(2));
  all.clock.advance(999);
  all.exporter.add(spans(1));
  all.clock.advance(1);
  await all.saidBy(1);
  assert.deepEqual(all.asked, [
    {
      url: '/otel/v1/traces',
      token: 'abc',
      type: 'application/json',
      spans: 3,
      service: ['service.version=1.2.3', 'service.name=edge', 'zone=a'],
      agent: 'fairlead/1.2.3 OTel-OTLP-Exporter-JavaScript/1.2.3',
    },
  ]);
  assert.deepEqual(all.told, ['exported 3']);
});

test('what the queue cannot take whole is dropped whole and counted, so that no trace is half there', async () => {
  await using all = await collecting(() => 200);
  all.exporter.add(spans(2_047));
  all.exporter.add(spans(2));
  assert.deepEqual(all.told, ['queue_full 2']);
  all.exporter.add(spans(1));
  all.clock.advance(1_000);
  await all.saidBy(5);
  assert.deepEqual(all.told.slice(1), ['exported 512', 'exported 512', 'exported 512', 'exported 512']);
});

test('a collector that fails is told once, and once when it is well again; a batch is tried three times', async () => {
  let status = 503;
  await using all = await collecting(() => status);
  all.exporter.add(spans(1));
  all.clock.advance(1_000);
  await all.saidBy(2);
  assert.deepEqual(all.told, ['send_failed 1', 'the collector answered 503']);
  assert.equal(all.asked.length, 3);
  status = 200;
  all.exporter.add(spans(4));
  all.clock.advance(1_000);
  await all.saidBy(4);
  assert.deepEqual(all.told.slice(2), ['exported 4', 'well again']);
});

test('a configured field replaces ours, whatever its case', async () => {
  await using all = await collecting(() => 200, '', [['User-Agent', 'mine/1']]);
  all.exporter.add(spans(1));
  all.clock.advance(1_000);
  await all.saidBy(1);
  assert.equal(all.asked[0]?.agent, 'mine/1');
});
