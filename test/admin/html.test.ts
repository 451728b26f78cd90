// Nothing that somebody else wrote becomes markup.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html, list, slot } from '../../src/admin/html.ts';

const EVIL = `<img src=x onerror="alert('1')">&\``;
const ESCAPED = '&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;&#96;';

test('values are escaped, in text and in attributes; markup of ours is not', () => {
  const { text } = html`<p title="${EVIL}">${EVIL}${html`<b>${1}</b>`}${[html`<i></i>`, html`<u></u>`]}</p>`;
  assert.equal(text, `<p title="${ESCAPED}">${ESCAPED}<b>1</b><i></i><u></u></p>`);
});

test('values are escaped in parts as well, and parts appear at their places', () => {
  const rows = list('rows', [{ id: 'r1', html: html`<tr id="r1"><td>${EVIL}</td></tr>` }]);
  const { text } =
    html`<p id="a">${slot('a', EVIL)}</p><table id="rows">${rows}</table>${html`<b id="c">${slot('c', 3)}</b>`}`;
  assert.equal(
    text,
    `<p id="a">${ESCAPED}</p><table id="rows"><tr id="r1"><td>${ESCAPED}</td></tr></table><b id="c">3</b>`,
  );
});
