import { test } from 'node:test';
import { assertOnly } from '../config_text.ts';

test('a maintenance has one body, at the top level and in a route', () => {
  const both = '{ enabled: false, body: a, bodyFile: /dev/null }';
  const route = `[{ name: all, forward: { cluster: app }, maintenance: ${both.replace('/dev/null', 'package.json')} }]`;
  assertOnly(
    { top: `maintenance: ${both.replace('/dev/null', '/proc/self/status')}` },
    /^maintenance has body and bodyFile; only one is allowed$/,
  );
  assertOnly(
    { routes: route.replace('package.json', '/proc/self/status') },
    /^maintenance has body and bodyFile; only one is allowed$/,
  );
});

test('a type without a body is a mistake, also where it is inherited', () => {
  assertOnly(
    { top: 'maintenance: { contentType: text/html }' },
    /^contentType is the type of a body: add body or bodyFile$/,
  );
});
