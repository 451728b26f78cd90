import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEvadedGuards } from '../../../src/config/check/guards.ts';
import { forwardTo, planOf } from '../../support/plan_builder.ts';

function evaded(guard: Record<string, unknown>, paths: Record<string, unknown> = {}) {
  return findEvadedGuards(
    planOf(forwardTo(['127.0.0.1:1'], { listener: { paths }, routes: [{ name: 'guard', ...guard }] })),
  );
}

const REFUSES = { match: { path: { prefix: '/admin' } }, respond: { status: 403 } };

test('a guarded path that another spelling bypasses is a warning, with the setting that folds it', () => {
  assert.deepEqual(evaded(REFUSES), [
    { guard: 'guard', spelling: '//admin', open: 'all', setting: 'listeners.main.paths.slashes' },
  ]);
  assert.equal(evaded(REFUSES, { slashes: 'fold' })[0]?.spelling, '/admin;x');
  const access = {
    match: { path: { exact: '/admin' } },
    forward: { cluster: 'app' },
    access: { allow: ['10.0.0.0/8'] },
  };
  assert.equal(evaded(access).length, 1, 'a list of networks is a guard too');
  const basicAuth = { file: 'test/support/users/users.htpasswd' };
  assert.equal(evaded({ ...access, access: {}, basicAuth }).length, 1, 'and so is a login');
});

test('there is no warning where spellings are folded or refused, and where nobody is kept out', () => {
  assert.deepEqual(evaded(REFUSES, { slashes: 'fold', semicolons: 'reject' }), []);
  assert.deepEqual(evaded({ match: { path: { prefix: '/a' } }, respond: { status: 200 } }), []);
  assert.deepEqual(
    evaded({ match: { path: { prefix: '/' }, methods: ['PUT'] }, respond: { status: 403 } }),
    [],
  );
});
