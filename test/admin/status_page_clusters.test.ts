import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from '../../src/admin/html.ts';
import { clusters, eligibleWords } from '../../src/admin/status_page_clusters.ts';
import { clusterView, endpointView } from './page_view.ts';

const WELL = clusterView([endpointView({ endpoint: 'a:1' })]);
const named = (name: string, change: Partial<typeof WELL> = {}) => ({ ...WELL, name, ...change });
const shown = (all: Parameters<typeof clusters>[0]) =>
  [
    ...html`${clusters(all)}`.text.matchAll(
      /<details class="cluster severity(\d)" id="cluster-([^"]+)"( open)?/g,
    ),
  ].map(([, severity, name, open]) => [name, Number(severity), open !== undefined]);

test('clusters that are down come first, then those with a problem; the others are folded, in natural order', () => {
  const out = [endpointView({ state: 'unhealthy' }), endpointView()];
  const all = [
    named('api-10'),
    named('api-2'),
    named('half', { endpoints: out }),
    named('down', { serving: 0, endpoints: out.slice(0, 1) }),
    named('late', { queue: 3 }),
    named('away', { endpoints: [endpointView({ state: 'drained' }), endpointView()] }),
  ];
  assert.deepEqual(shown(all), [
    ['down', 0, true],
    ['half', 1, true],
    ['late', 1, true],
    ['away', 2, true],
    ['api-2', 3, false],
    ['api-10', 3, false],
  ]);
});

test('that requests fail is added to healthy, and not to a state that says it already', () => {
  const page = (state: 'healthy' | 'ejected') =>
    html`${clusters([named('a', { endpoints: [endpointView({ state, disagrees: true })] })])}`.text;
  assert.match(page('healthy'), />healthy, but requests fail</);
  assert.match(page('ejected'), />ejected</);
});

test('when everything is down only the first eight are open', () => {
  const all = Array.from({ length: 20 }, (_, at) => named(`c${at}`, { serving: 0 }));
  assert.deepEqual(
    shown(all).map(([, , open]) => open),
    all.map((_, at) => at < 8),
  );
});

test('the ids of endpoints stay with their names when the order changes', () => {
  const idOf = (state: string, name: string) => {
    const endpoints = [endpointView({ endpoint: 'a:1' }), endpointView({ endpoint: 'b:1', state })];
    const { text } = html`${clusters([named('x', { endpoints })])}`;
    return new RegExp(`id="(\\w+)"><th scope="row">${name}`).exec(text)?.[1];
  };
  assert.equal(idOf('healthy', 'b:1'), 'c0e1');
  assert.equal(idOf('unhealthy', 'b:1'), 'c0e1');
});

test('an endpoint has the button for the other state; a name without an address has none', () => {
  const buttonOf = (state: string) =>
    /formaction="([^"]+)" name="action" value="(\w+)"/
      .exec(
        html`${clusters([named('x', { endpoints: [endpointView({ endpoint: '[::1]:80', state })] })])}`.text,
      )
      ?.slice(1);
  assert.deepEqual(buttonOf('healthy'), ['/clusters/x/endpoints/%5B%3A%3A1%5D%3A80', 'drain']);
  assert.equal(buttonOf('drained')?.[1], 'ready');
  assert.equal(buttonOf('unresolved'), undefined);
});

test('no problems are told in numbers that fit', () => {
  assert.equal(eligibleWords([]), 'There are no clusters.');
  assert.equal(eligibleWords([WELL]), 'The only endpoint is eligible.');
  assert.equal(eligibleWords([WELL, WELL]), 'All 2 endpoints of 2 clusters are eligible.');
});
