// The status page in a real browser: live, readable, usable by keyboard and on a narrow screen, and harmless.
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { answer, resetBeforeHead } from '../support/backend_behaviours.ts';
import { Browser } from '../support/browser.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { needs } from '../support/programs.ts';
import { startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';
import { startBackend } from '../support/scripted_backend.ts';
import { tooFaint } from './contrast.ts';

const HOSTILE = '/<img/src=x/onerror=window.hacked=1>"\'`&<script>window.hacked=1</script>';

/** How busy the machine of the tests is must not be a problem of the proxy. */
const CALM = { overload: { eventLoopDelay: '60s' } };
/** WCAG 2.2 section 1.4.3, level AA. */
const CONTRAST_LEAST = 4.5;
interface Contrast {
  readonly checked: number;
  readonly faint: readonly unknown[];
}

test('the status page', needs('chromium'), async t => {
  await using good = await startBackend(answer());
  await using bad = await startBackend(answer());
  await using proxy = await startProxy(
    forwardTo([good.address, bad.address], {
      admin: { address: '127.0.0.1:0' },
      process: CALM,
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

  await t.test('at first nothing hurts, and every part is there, with the name of the machine', async () => {
    await page.until('document.querySelector(".calm")?.innerText.includes("No problems")');
    assert.match(await text('header'), new RegExp(`${hostname()}.*pid ${process.pid}`, 's'));
    assert.equal(await page.value('document.title'), `${hostname()} · Fairlead`);
    assert.match(await text('#facts'), /serving/);
    assert.equal(await page.value('document.querySelectorAll(".tile").length'), 7);
    assert.equal(await page.value('document.querySelectorAll("th[scope]").length > 20'), true);
    assert.match(await text('#listener-main'), /127\.0\.0\.1:\d+.*of 10000/s);
  });

  await t.test(
    'a change comes without the rest of the page: what did not change stays the same element',
    async () => {
      await page.value('document.querySelector(".endpoints tbody tr").dataset.mine = "1"');
      const before = await text('#t-rate');
      for (let count = 0; count < 40; count++) await fetchRaw(proxy.target(), '/');
      await page.until(`document.getElementById("t-rate").innerText !== ${JSON.stringify(before)}`);
      assert.equal(await page.value('document.querySelector(".endpoints tbody tr").dataset.mine'), '1');
    },
  );

  await t.test(
    'a backend that breaks is named on top, without a reload of the page, and is the first of its table',
    async () => {
      bad.behave(resetBeforeHead());
      while (proxy.lines.find({ event: 'health_changed', to: 'ejected' }).length === 0)
        await fetchRaw(proxy.target(), '/');
      await page.until('document.querySelector(".problems")?.innerText.includes("has been ejected")');
      const said = await text('.problems');
      assert.match(
        said,
        new RegExp(
          `app ${bad.address} has been ejected for .*failures in a row, most recently reset_before_head`,
        ),
      );
      assert.match(await text('.endpoints tbody tr'), new RegExp(`${bad.address}.*ejected`, 's'));
      await page.until('document.getElementById("news").textContent.includes("has been ejected")');
      assert.match(await page.value('document.title'), /^● \d problems? · /);
    },
  );

  await t.test(
    'its failures are one line, which opens to the single ones and to what the reason means',
    async () => {
      await page.until('document.querySelector(".failure") !== null');
      assert.equal(await page.value('document.querySelectorAll(".failure").length'), 1);
      assert.match(await text('.failure summary'), /reset_before_head\s*×\d+\s*last \d+ s ago/);
      assert.equal(await page.value('document.querySelector(".failure").open'), false);
      await page.value('document.querySelector(".failure summary").click()');
      assert.equal(
        await page.value('document.querySelector(".failure a").pathname'),
        '/reasons/reset_before_head',
      );
    },
  );

  await t.test(
    'the focus of a keyboard and what is open survive the next updates, and lead to the record of a failure',
    async () => {
      await page.value('document.querySelector("td a").focus()');
      const focused = await page.value<string>('document.activeElement.id');
      assert.match(focused, /^r-/);
      const count = await text('.failure summary span');
      bad.behave(answer());
      good.behave(resetBeforeHead());
      await fetchRaw(proxy.target(), '/');
      good.behave(answer());
      await page.until(
        `document.querySelector(".failure summary span").innerText !== ${JSON.stringify(count)}`,
      );
      assert.equal(await page.value('document.querySelector(".failure").open'), true);
      assert.equal(await page.value('document.activeElement.id'), focused);
      await page.press('Tab');
      assert.notEqual(await page.value('document.activeElement.id'), focused);
      const record = await browser.open(`${url}requests/${focused.slice(2).replace(/-a$/, '')}`);
      assert.match(await record.value('document.body.innerText'), /reset_before_head[\s\S]*Attempts/);
      assert.equal(await record.value('document.querySelectorAll(".bar rect").length > 0'), true);
      for (const scheme of ['light', 'dark'] as const) {
        await record.prefer(scheme);
        const { checked, faint } = await record.value<Contrast>(tooFaint(CONTRAST_LEAST));
        assert.ok(checked > 50, `${checked} texts`);
        assert.deepEqual(faint, [], scheme);
      }
    },
  );

  await t.test('nothing is wider than the screen, at 400 and at 1600 pixels', async () => {
    for (const width of [400, 1_600]) {
      await page.resize(width);
      const wide = await page.value<number>('document.documentElement.scrollWidth');
      assert.ok(wide <= width, `${wide} at ${width}`);
    }
  });

  await t.test('every text has enough contrast, in the light and in the dark', async () => {
    const faces: string[] = [];
    for (const scheme of ['light', 'dark'] as const) {
      await page.prefer(scheme);
      faces.push(await page.value('getComputedStyle(document.body).backgroundColor'));
      const { checked, faint } = await page.value<Contrast>(tooFaint(CONTRAST_LEAST));
      assert.ok(checked > 100, `${checked} texts`);
      assert.deepEqual(faint, [], scheme);
    }
    assert.notEqual(faces[0], faces[1]);
  });

  await t.test('what a client writes is text and nothing else', async () => {
    const from = await fetchRaw(proxy.target(), HOSTILE, { headers: ['Host', '<b>evil</b>'] });
    assert.ok(from.status >= 400);
    good.behave(answer({ status: 500 }));
    assert.equal((await fetchRaw(proxy.target(), HOSTILE)).status, 500);
    await page.until('document.getElementById("live").textContent.includes("onerror")');
    assert.deepEqual(
      await page.value(
        '[window.hacked ?? null, document.images.length, document.querySelectorAll("main script, main [onerror]").length]',
      ),
      [null, 0, 0],
    );
  });

  await t.test('without scripts it says the same', async () => {
    const plain = await browser.open(url, { scripts: false });
    const all = await plain.value<string>('document.body.innerText');
    assert.match(all, /\d problems?/);
    assert.match(all, new RegExp(bad.address));
  });

  await t.test('the browser had nothing to complain of', () => {
    assert.deepEqual(browser.complaints, []);
  });
});
