import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type SignalActions, Signals } from '../../src/lifecycle/signals.ts';

function start() {
  const source = new EventEmitter();
  const said: string[] = [];
  const signals = new Signals(source, code => void said.push(`exit ${code}`));
  signals.holdAll();
  const actions: SignalActions = {
    drain: signal => void said.push(`drain ${signal}`),
    reload: () => void said.push('reload'),
    stopNow: signal => void said.push(`stop ${signal}`),
    reopenLogs: () => void said.push('reopen'),
    ignored: signal => void said.push(`ignored ${signal}`),
  };
  const send = (...names: string[]) => names.forEach(name => void source.emit(name, name));
  return { signals, actions, said, send, source };
}

test('what comes before the process serves is kept: many SIGHUPs are one reload later, SIGUSR1 and SIGUSR2 nothing', () => {
  const { signals, actions, said, send } = start();
  send('SIGHUP', 'SIGUSR1', 'SIGUSR2');
  signals.starting();
  send('SIGHUP', 'SIGUSR1', 'SIGUSR2');
  assert.deepEqual(said, []);
  signals.attach(actions);
  assert.deepEqual(said, ['reload']);
  send('SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGINT', 'SIGQUIT');
  assert.deepEqual(said.slice(1), [
    'reload',
    'reopen',
    'ignored SIGUSR2',
    'drain SIGTERM',
    'drain SIGINT',
    'stop SIGQUIT',
  ]);
});

test('a SIGTERM while code is loaded ends the process at once with 0, while ports are bound it is a drain after that', () => {
  const loading = start();
  loading.send('SIGTERM');
  assert.deepEqual(loading.said, ['exit 0']);

  const { signals, actions, said, send } = start();
  signals.starting();
  send('SIGTERM', 'SIGHUP');
  assert.deepEqual(said, []);
  signals.attach(actions);
  assert.deepEqual(said, ['drain SIGTERM'], 'who is asked to end does not reload first');
});

test('a second SIGTERM, or a SIGQUIT, ends a start that hangs', () => {
  const hangs = start();
  hangs.signals.starting();
  hangs.send('SIGTERM', 'SIGTERM');
  assert.deepEqual(hangs.said, ['exit 1']);
  const quit = start();
  quit.signals.starting();
  quit.send('SIGQUIT');
  assert.deepEqual(quit.said, ['exit 1']);
});

test('when it is over nothing is listened to', () => {
  const { signals, actions, source } = start();
  signals.attach(actions)();
  assert.deepEqual(source.eventNames(), []);
});

test('nothing is loaded before the signals are listened to but files that load nothing', () => {
  const imports = (file: string) =>
    [
      ...readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8').matchAll(
        /^import .* from '\.\/(.*)';$/gm,
      ),
    ].map(([, name = '']) => name);
  const first = imports('main.ts');
  assert.ok(first.includes('lifecycle/signals.ts'));
  for (const file of first) assert.deepEqual(imports(file), [], file);
});
