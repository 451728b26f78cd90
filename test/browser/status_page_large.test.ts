// Fifty clusters of eight endpoints in a real browser: short enough to read, quick to search, cheap to keep up to date.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { Browser } from '../support/browser.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';

const CLUSTERS = 50;
const ENDPOINTS = 8;
/** Before clusters were folded it was 147,414 px at 400 px, and 19,654 px at 1,600 px. */
const HEIGHT_MAX: Readonly<Record<number, number>> = { 400: 5_000, 1600: 2_600 };
/** Before only changes were sent it was 270,000 bytes. */
const UPDATE_BYTES_MAX = 12_000;

const names = Array.from({ length: CLUSTERS }, (_, at) => `svc-${at + 1}`);
const clusters = Object.fromEntries(
  names.map((name, cluster) => [
    name,
    {
      endpoints: Array.from({ length: ENDPOINTS }, (_, at) => `127.0.${cluster}.${at + 1}:9`),
      health: { active: 'off' },
    },
  ]),
);
const routes = names.map(name => ({
  name,
  match: { hosts: [`${name}.test`], path: { prefix: '/' } },
  forward: { cluster: name },
}));

test('the status page of fifty clusters', needs('chromium'), async t => {
  await using proxy = await startProxy(
    forwardTo(['127.0.0.1:9'], {
      admin: { address: '127.0.0.1:0' },
      cluster: { health: { active: 'off' } },
      process: { overload: { eventLoopDelay: '60s' } },
      routes,
      clusters,
    }),
  );
  const admin = proxy.admin();
  const url = `http://127.0.0.1:${admin.port}/`;
  await using browser = await Browser.start();
  const page = await browser.open(url);
  const shownClusters = () =>
    page.value<string[]>(
      '[...document.querySelectorAll(".cluster:not([hidden])")].map(one => one.id.replace("cluster-", ""))',
    );
  const nextUpdate = async () => {
    const up = await page.value<string>('document.getElementById("a-up").innerText');
    await page.until(`document.getElementById("a-up").innerText !== ${JSON.stringify(up)}`);
  };

  await t.test('it is short at any width, folded, and in the natural order of names', async () => {
    for (const width of [1_600, 400]) {
      await page.resize(width);
      const [high, wide] = await page.value<[number, number]>(
        '[document.documentElement.scrollHeight, document.documentElement.scrollWidth]',
      );
      assert.ok(high <= (HEIGHT_MAX[width] ?? 0), `${high} px high at ${width}`);
      assert.ok(wide <= width, `${wide} px wide at ${width}`);
    }
    assert.equal(await page.value('document.querySelectorAll(".cluster[open]").length'), 0);
    assert.deepEqual(await shownClusters(), ['app', ...names]);
  });

  await t.test(
    'an update has a small part of the bytes of the page, and none that did not change',
    async () => {
      const { text } = await fetchRaw(admin, '/', { headers: ['Host', 'localhost'] });
      const frame = /data-frame="([^"]+)"/.exec(text)?.[1] ?? '';
      const [first = '', second = ''] = await eventsOf(admin.port, `/status/events?frame=${frame}`, 2);
      for (const event of [first, second]) {
        assert.ok(event.length < UPDATE_BYTES_MAX, `${event.length} bytes of ${text.length}`);
        assert.equal(event.includes('127.0.7.1:9'), false, 'an endpoint that is as it was');
      }
    },
  );

  await t.test(
    'a filter is a key away, finds clusters, endpoints and routes, and stays when updates come',
    async () => {
      await page.press('/');
      assert.equal(await page.value('document.activeElement.id'), 'q');
      await page.type('svc-30');
      assert.deepEqual(await shownClusters(), ['svc-30']);
      assert.equal(await page.value('document.getElementById("q").value'), 'svc-30');
      await nextUpdate();
      await nextUpdate();
      assert.deepEqual(await shownClusters(), ['svc-30']);
      assert.match(await page.value('document.getElementById("matches").innerText'), /^9 matches$/);

      await page.value('document.getElementById("q").value = ""');
      await page.type('127.0.11.5:9');
      assert.deepEqual(await shownClusters(), ['svc-12']);
      const rows = '[...document.querySelectorAll("#cluster-svc-12[open] tbody tr:not([hidden]) th")]';
      assert.deepEqual(await page.value(`${rows}.map(one => one.innerText)`), ['127.0.11.5:9']);

      await page.press('Escape');
      assert.equal((await shownClusters()).length, CLUSTERS + 1);
      assert.equal(await page.value('document.querySelectorAll(".cluster[open]").length'), 0, 'as it was');
    },
  );

  await t.test('a filter is part of the address, so that it can be passed on', async () => {
    const sent = await browser.open(`${url}?q=svc-7`);
    assert.equal(await sent.value('document.querySelectorAll(".cluster:not([hidden])").length'), 1);
  });

  await t.test('a link to a cluster opens it, and it stays open', async () => {
    await page.value('location.hash = "#cluster-svc-9"');
    await page.until('document.getElementById("cluster-svc-9").open');
    await nextUpdate();
    assert.equal(await page.value('document.getElementById("cluster-svc-9").open'), true);
  });

  const press = (cluster: string) =>
    page.value(`document.querySelector("#cluster-${cluster} tbody tr button").click()`);
  const news = (words: string) =>
    page.until(`document.getElementById("news").innerText.includes(${JSON.stringify(words)})`);

  await t.test('a button drains an endpoint and puts it back, with an audit line each', async () => {
    await press('svc-9');
    await news('127.0.8.1:9 is drained');
    await proxy.lines.next({ event: 'audit', action: 'drain svc-9 127.0.8.1:9' });
    await page.until('document.querySelector("#cluster-svc-9 tbody tr").innerText.includes("drained")');
    assert.equal((await shownClusters())[0], 'svc-9', 'what is not as usual comes first');
    assert.equal(await page.value('document.getElementById("cluster-svc-9").open'), true);
    await press('svc-9');
    await news('127.0.8.1:9 is ready');
    await proxy.lines.next({ event: 'audit', action: 'ready svc-9 127.0.8.1:9' });
    await page.until('!document.querySelector("#cluster-svc-9 tbody").innerText.includes("drained")');
  });

  await t.test(
    'the last eligible endpoint of a cluster is drained only by a person who is sure',
    async () => {
      await page.value('window.confirm = text => { window.asked = text; return false; }');
      await press('app');
      await news('Nothing was changed');
      assert.match(await page.value('window.asked'), /last eligible endpoint of cluster app/);
      await proxy.lines.next({ event: 'audit', action: 'drain app 127.0.0.1:9', result: 'asked to confirm' });
      assert.equal(stateOf('app'), 'unchecked');
      await page.value('window.confirm = () => true');
      await press('app');
      await news('no eligible endpoint left');
      assert.equal(stateOf('app'), 'drained');
      await page.until('document.querySelector("#cluster-app tbody").innerText.includes("drained")');
      await press('app');
      await page.until('!document.querySelector("#cluster-app tbody").innerText.includes("drained")');
    },
  );

  await t.test('without scripts the buttons are forms, and ask as well', async () => {
    const plain = await browser.open(url, { scripts: false });
    const button = (cluster: string) =>
      `document.querySelector("#cluster-${cluster} tbody tr button").click()`;
    await plain.value(button('svc-3'));
    await plain.until('location.hash === "#cluster-svc-3" && document.readyState === "complete"');
    assert.equal(stateOf('svc-3'), 'drained');
    await plain.value(button('app'));
    await plain.until('document.body.innerText.includes("last eligible endpoint")');
    assert.equal(stateOf('app'), 'unchecked');
    await plain.value('document.querySelector("button[name=confirmed]").click()');
    await plain.until('location.hash === "#cluster-app"');
    assert.equal(stateOf('app'), 'drained');
  });

  await t.test('the browser had nothing to complain of', () => {
    // A response that asks for a confirmation is a 409, which the browser's console notes.
    assert.deepEqual(
      browser.complaints.filter(text => !text.includes('409')),
      [],
    );
  });

  function stateOf(cluster: string): string | undefined {
    return proxy.report.status().clusters.find(({ name }) => name === cluster)?.endpoints[0]?.state;
  }
});

/** The first events of a stream. */
function eventsOf(port: number, path: string, count: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, path, headers: { host: 'localhost' } }, response => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const events = text.split('\n\n');
        if (events.length <= count) return;
        request.destroy();
        resolve(events.slice(0, count));
      });
    });
    request.on('error', reject);
  });
}
