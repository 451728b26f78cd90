import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusPage } from '../../src/admin/status_page.ts';
import { clusterView, endpointView, pageView } from './page_view.ts';

test('a problem leads to its section and names the key to change', () => {
  const dead = endpointView({ state: 'unhealthy', lastError: 'connect_refused', lastErrorAgoMs: 1_000 });
  const view = pageView([
    clusterView([dead], { serving: 0 }),
    clusterView([endpointView()], { name: 'other' }),
  ]);
  const text = new StatusPage(view).document('nonce', 'frame');
  assert.match(text, /<title id="title">● 1 problem · /);
  assert.match(
    text,
    /<li id="p0" class="error"><a href="#cluster-app">app is down: [^<]*<\/a> <code>clusters\.app\.health\.[^<]*<\/code>/,
  );
});
