// The status page in a real browser: live, readable, usable by keyboard and on a narrow screen, and harmless.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, resetBeforeHead } from '../support/backend_behaviours.ts';
import { Browser } from '../support/browser.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';

const HOSTILE = '/<img/src=x/onerror=window.hacked=1>"\'`&<script>window.hacked=1</script>';

test('the status page', needs('chromium'), async t => {
  await using good = await startBackend(answer());
  await using bad = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([good.address, bad.address], {
      admin: { address: '127.0.0.1:0' },
      route: { retries: { attempts: 0 } },
      cluster: {
        loadBalancing: { policy: 'roundRobin' },
        health: { passive: { consecutiveFailures: 3, ejectFor: '1h' } },
      },
    }),
  );
  const url = `http://127.0.0.1:${proxy.admin().port}/`;
  await fetchRaw(proxy.target(), '/');
  await using browser = await Browser.start();
  const page = await browser.open(url);
  const text = (selector: string) =>
    page.value<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`);

  await t.test('at first nothing hurts, and every part is there', async () => {
    assert.match(await text('.calm'), /No problems/);
    assert.match(await text('header'), /serving/);
    assert.equal(await page.value('document.querySelectorAll(".tile").length'), 7);
    assert.equal(await page.value('document.querySelectorAll("th[scope]").length > 20'), true);
    assert.equal(await page.value('document.querySelectorAll("table caption").length'), 1);
  });

  await t.test(
    'a backend that breaks is named on top, without a reload of the page, and is the first of its table',
    async () => {
      bad.behave(resetBeforeHead());
      while (proxy.lines.find({ event: 'health_changed', to: 'ejected' }).length === 0)
        await fetchRaw(proxy.target(), '/');
      await page.until('document.querySelector(".problems") !== null');
      const said = await text('.problems');
      assert.match(
        said,
        new RegExp(
          `app ${bad.address} has been ejected for .*failures in a row, most recently reset_before_head`,
        ),
      );
      assert.match(await text('tbody tr'), new RegExp(`${bad.address}.*ejected`, 's'));
      await page.until('document.getElementById("news").textContent.includes("has been ejected")');
      assert.match(await page.value('document.title'), /^●/);
    },
  );

  await t.test(
    'the focus of a keyboard survives the next update, and reaches the record of a failure',
    async () => {
      await page.value('document.querySelector("td a").focus()');
      const focused = await page.value<string>('document.activeElement.id');
      assert.match(focused, /^r-/);
      await page.value('document.getElementById("live").firstChild.dataset.old = "1"');
      await page.until('document.getElementById("live").firstChild.dataset.old === undefined');
      assert.equal(await page.value('document.activeElement.id'), focused);
      await page.press('Tab');
      assert.notEqual(await page.value('document.activeElement.id'), focused);
      const record = await browser.open(`${url}requests/${focused.slice(2)}`);
      assert.match(await record.value('document.body.innerText'), /reset_before_head[\s\S]*attempt/);
    },
  );

  await t.test('nothing is wider than the screen, at 400 and at 1600 pixels', async () => {
    for (const width of [400, 1_600]) {
      await page.resize(width);
      const wide = await page.value<number>('document.documentElement.scrollWidth');
      assert.ok(wide <= width, `${wide} at ${width}`);
    }
  });

  await t.test('it has a light and a dark face, both with readable text', async () => {
    const faces: string[] = [];
    for (const scheme of ['light', 'dark'] as const) {
      await page.prefer(scheme);
      faces.push(
        await page.value(
          'getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color',
        ),
      );
    }
    assert.notEqual(faces[0], faces[1]);
  });

  await t.test('what a client writes is text and nothing else', async () => {
    const from = await fetchRaw(proxy.target(), HOSTILE, { headers: ['Host', '<b>evil</b>'] });
    assert.ok(from.status >= 400);
    good.behave(answer({ status: 500 }));
    assert.equal((await fetchRaw(proxy.target(), HOSTILE)).status, 500);
    await page.until('document.body.innerText.includes("onerror")');
    assert.deepEqual(
      await page.value(
        '[window.hacked ?? null, document.images.length, document.querySelectorAll("main script").length]',
      ),
      [null, 0, 0],
    );
  });

  await t.test('without scripts it says the same', async () => {
    const plain = await browser.open(url, { scripts: false });
    const all = await plain.value<string>('document.body.innerText');
    assert.match(all, /Problems/);
    assert.match(all, new RegExp(bad.address));
  });

  await t.test('the browser had nothing to complain of', () => {
    assert.deepEqual(browser.complaints, []);
  });
});
