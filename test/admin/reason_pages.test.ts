import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURE_RULES } from '../../src/resilience/failure.ts';
import { value } from '../support/http1_message.ts';
import { checkLeaks } from '../support/leak_check.ts';
import { LOCAL, viewWith, withApi } from './open_api.ts';

checkLeaks();

const BROWSER = [...LOCAL, 'Accept', 'text/html,application/xhtml+xml'];

test('curl gets the text of a reason, a browser a page that loads nothing', () =>
  withApi(viewWith(), async ask => {
    const text = await ask('/reasons/tls_failed');
    assert.equal(text.status, 200);
    assert.equal(value(text.headers, 'content-type'), 'text/plain; charset=utf-8');
    assert.match(
      text.text,
      /^tls_failed: The TLS handshake[\s\S]*\nWhat it means\n[\s\S]*\nWhat to change\n/,
    );
    const page = await ask('/reasons/tls_failed', { headers: BROWSER });
    assert.equal(value(page.headers, 'content-type'), 'text/html; charset=utf-8');
    assert.match(value(page.headers, 'content-security-policy') ?? '', /default-src 'none'/);
    assert.match(page.text, /<b>tls_failed<\/b><\/h1>[\s\S]*<code>clusters\.\*\.tls\.caFile<\/code>/);
    assert.match(page.text, /<a href="\/requests\?reason=tls_failed">/);
    assert.doesNotMatch(page.text, /`/, 'no backtick is left');
    assert.match(page.text, /&#60;\/dev\/null/, 'what is text stays text');
  }));

test('the list leads to the page of each reason', () =>
  withApi(viewWith(), async ask => {
    const page = await ask('/reasons', { headers: BROWSER });
    for (const [kind, { title }] of Object.entries(FAILURE_RULES)) {
      assert(page.text.includes(`<a href="/reasons/${kind}"><code>${kind}</code></a>`), kind);
      assert(page.text.includes(title.replaceAll("'", '&#39;')), title);
      assert.equal((await ask(`/reasons/${kind}`)).status, 200, kind);
    }
    assert.match((await ask('/reasons')).text, /^Reasons, .*\n {2}bad_request, /);
  }));

test('an unknown reason is 404 with the one that was meant and the list, and cannot write markup', () =>
  withApi(viewWith(), async ask => {
    const text = await ask('/reasons/tls_faild');
    assert.equal(text.status, 404);
    assert.match(
      text.text,
      /^unknown reason "tls_faild" \(did you mean "tls_failed"\?\); reasons:\n {2}bad_request, /,
    );
    const page = await ask('/reasons/%3Cb%3E', { headers: BROWSER });
    assert.equal(page.status, 404);
    assert.equal(page.text.match(/<b>/g)?.length, 1, 'only that of the title');
    assert.match(page.text, /&#60;b&#62;[\s\S]*href="\/reasons\/tls_failed"/);
  }));

test('the pages have the guard of all others: the token, the Host, the Origin', () =>
  withApi(
    viewWith(),
    async ask => {
      assert.equal((await ask('/reasons')).status, 401);
      const token = ['Authorization', 'Bearer secret-token'];
      assert.equal((await ask('/reasons', { headers: [...LOCAL, ...token] })).status, 200);
      assert.equal(
        (await ask('/reasons', { headers: [...LOCAL, ...token, 'Origin', 'http://evil.test'] })).status,
        403,
      );
    },
    'secret-token',
  ));

test('without a token a foreign Host is refused', () =>
  withApi(viewWith(), async ask => {
    assert.equal((await ask('/reasons/tls_failed', { headers: ['Host', 'evil.test'] })).status, 421);
  }));
