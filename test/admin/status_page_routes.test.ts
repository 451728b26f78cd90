import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from '../../src/admin/html.ts';
import { routes } from '../../src/admin/status_page_routes.ts';
import { FIGURES } from './page_view.ts';

const route = (name: string, failureShare = 0) => ({
  name,
  listeners: ['main', 'other'],
  match: 'prefix /',
  action: 'app',
  cluster: 'app',
  figures: { ...FIGURES, failureShare },
});
const textOf = (all: Parameters<typeof routes>[0]) => html`${routes(all)}`.text;
const names = (text: string) => [...text.matchAll(/<th scope="row">([^<]+)/g)].map(([, name]) => name);

test('failing routes come first and are never folded, the others follow in natural order', () => {
  const many = Array.from({ length: 13 }, (_, at) => route(`r${13 - at}`, at === 4 ? 0.5 : 0));
  const text = textOf(many);
  assert.deepEqual(names(text).slice(0, 4), ['r9', 'r1', 'r2', 'r3']);
  assert.equal(names(text).at(-1), 'r13');
  assert.match(text, /id="routes-well" open/, 'twelve are still open');
  assert.doesNotMatch(textOf([...many, route('r14')]), /id="routes-well" open/);
});

test('a route names its listeners once, and links to its cluster', () => {
  assert.match(textOf([route('r')]), /main, other.*href="#cluster-app"/s);
});
