// Goal: the changes are exactly what turns one page into the next, and nothing that is the same is sent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html, type Item, list, type Part, slot } from '../../src/admin/html.ts';
import { type Change, changesBetween, wholeOf } from '../../src/admin/page_delta.ts';
import { seededRandom } from '../support/seeded_random.ts';

const cell = (id: string, value: string | number) => html`<td id="${id}">${slot(id, value)}</td>`;
const row = (id: string, kind: string, value: number): Item => ({
  id,
  html: html`<tr id="${id}" class="${kind}">${cell(`${id}v`, value)}</tr>`,
});
const page = (title: string, rows: readonly Item[]): readonly Part[] => [
  slot('title', title),
  slot('table', html`<b>rows</b><table id="rows">${list('rows', rows)}</table>`),
];

test('a page that is the same has no changes', () => {
  const rows = [row('a', 'good', 1), row('b', 'bad', 2)];
  assert.deepEqual(changesBetween(page('t', rows), page('t', [row('a', 'good', 1), row('b', 'bad', 2)])), []);
});

test('a value that changes is sent alone', () => {
  const was = page('t', [row('a', 'good', 1), row('b', 'bad', 2)]);
  assert.deepEqual(changesBetween(was, page('u', [row('a', 'good', 1), row('b', 'bad', 3)])), [
    ['title', 'u'],
    ['bv', '3'],
  ]);
});

test('a row whose frame changes is sent whole, its neighbours are not', () => {
  const was = page('t', [row('a', 'good', 1), row('b', 'good', 2)]);
  assert.deepEqual(changesBetween(was, page('t', [row('a', 'good', 1), row('b', 'bad', 3)])), [
    ['b', '<tr id="b" class="bad"><td id="bv">3</td></tr>', 1],
  ]);
});

test('rows that change places are named, only new ones are sent, and kept ones still get their values', () => {
  const was = page('t', [row('a', 'good', 1), row('b', 'good', 2), row('c', 'good', 3)]);
  const is = page('t', [row('c', 'good', 3), row('a', 'good', 9), row('d', 'good', 4)]);
  assert.deepEqual(changesBetween(was, is), [
    ['rows', ['c', 'a', 'd'], '<tr id="d" class="good"><td id="dv">4</td></tr>'],
    ['av', '9'],
  ]);
});

test('a section of another form is sent whole, and so is everything to somebody who is not known', () => {
  const was = [slot('s', html`<p id="x">${slot('x', 1)}</p>`)];
  const is = [slot('s', html`<ul id="x">${list('x', [row('a', 'good', 1)])}</ul>`)];
  const text = '<ul id="x"><tr id="a" class="good"><td id="av">1</td></tr></ul>';
  assert.deepEqual(changesBetween(was, is), [['s', text]]);
  assert.deepEqual(wholeOf(is), [['s', text]]);
});

test('applied one after the other, the changes of any two pages lead from one to the other', () => {
  const { unit: random } = seededRandom(20_261_129);
  const upTo = (limit: number) => Math.floor(random() * limit);
  const some = () => {
    const ids = ['a', 'b', 'c', 'd', 'e'].filter(() => random() < 0.6).sort(() => random() - 0.5);
    return page(
      `t${upTo(2)}`,
      ids.map(id => row(id, ['good', 'bad'][upTo(2)] ?? '', upTo(3))),
    );
  };
  for (let round = 0; round < 300; round++) {
    const [was, is] = [some(), some()];
    const got = applied(modelOf(was), changesBetween(was, is));
    assert.deepEqual(got, modelOf(is), JSON.stringify([modelOf(was), modelOf(is)]));
  }
});

/** What a browser would show of the page above: its title, and the rows with kind and value. */
interface Model {
  title: string;
  rows: { id: string; kind: string; value: string }[];
}

function modelOf([title, table]: readonly Part[]): Model {
  return { title: title?.text ?? '', rows: rowsOf(table?.text ?? '') };
}

function rowsOf(text: string): Model['rows'] {
  return [...text.matchAll(/<tr id="(\w)" class="(\w+)"><td id="\w+">(\d)<\/td><\/tr>/g)].map(
    ([, id = '', kind = '', value = '']) => ({ id, kind, value }),
  );
}

function applied(model: Model, changes: readonly Change[]): Model {
  for (const [id, what, rest] of changes) {
    if (typeof what !== 'string') {
      const known = new Map([...model.rows, ...rowsOf(String(rest))].map(one => [one.id, one]));
      model.rows = what.map(key => known.get(key) ?? assert.fail(`${key} is neither kept nor new`));
    } else if (rest === 1)
      model.rows = model.rows.map(one => (one.id === id ? (rowsOf(what)[0] ?? one) : one));
    else if (id === 'title') model.title = what;
    else model.rows = model.rows.map(one => (`${one.id}v` === id ? { ...one, value: what } : one));
  }
  return model;
}
