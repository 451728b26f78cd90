// Nothing that somebody else wrote becomes markup.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from '../../src/admin/html.ts';

test('values are escaped, in text and in attributes; markup of ours is not', () => {
  const evil = `<img src=x onerror="alert('1')">&\``;
  const { text } = html`<p title="${evil}">${evil}${html`<b>${1}</b>`}${[html`<i></i>`, html`<u></u>`]}</p>`;
  const escaped = '&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;&#96;';
  assert.equal(text, `<p title="${escaped}">${escaped}<b>1</b><i></i><u></u></p>`);
});
