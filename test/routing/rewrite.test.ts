import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildRedirect,
  buildRewrite,
  expandRedirect,
  redirectProblem,
  replacementProblem,
  rewriteTarget,
} from '../../src/routing/rewrite.ts';
import type { RewriteSettings } from '../../src/routing/route.ts';
import { seededRandom } from '../support/seeded_random.ts';

const NOTHING: RewriteSettings = {
  replacePath: null,
  stripPrefix: null,
  regex: null,
  addPrefix: null,
  host: null,
};

function rewrite(settings: Partial<RewriteSettings>, target: string): string {
  const compiled = buildRewrite({ ...NOTHING, ...settings });
  assert(compiled !== null);
  return rewriteTarget(compiled, target);
}

test('without a rule for the path there is nothing to do', () => {
  assert.equal(buildRewrite(NOTHING), null);
  assert.equal(
    buildRewrite({ ...NOTHING, host: 'backend.local' }),
    null,
    'the host is no part of the target',
  );
});

test('a prefix is stripped by whole segments, and everything else stays byte for byte', () => {
  const cases: [prefix: string, target: string, result: string][] = [
    ['/api', '/api/x?a=1', '/x?a=1'],
    ['/api', '/api', '/'],
    ['/api', '/api?a', '/?a'],
    ['/api', '/api/', '/'],
    ['/api/', '/api/x', '/x'],
    ['/api', '/apiv2/x', '/apiv2/x'],
    ['/api', '/other/api', '/other/api'],
    ['/api', '/ap', '/ap'],
    ['/api', '/a', '/a'],
    ['/api', '/%61p%69/%61%2f/../b//c?%61', '/%61%2f/../b//c?%61'],
    ['/%61pi', '/api/x', '/x'],
    ['/a%2fb', '/a%2Fb/x', '/x'],
    ['/a%2Fb', '/a%2fb/x', '/x'],
    ['/a/b', '/a%2Fb/x', '/a%2Fb/x'], // an encoded slash is no separator
    ['/api', '/api%2Fx', '/api%2Fx'],
    ['/caf\u00e9', '/caf%c3%a9/x', '/x'],
    ['/api', '/api//x', '//x'], // the client's slashes are the client's
    ['/api', '/api/\xe9{|}', '/\xe9{|}'],
    ['/api', '/api?/x', '/?/x'],
    ['/', '/x', '/x'],
    ['/api', '*', '*'],
  ];
  for (const [stripPrefix, target, result] of cases) {
    assert.equal(rewrite({ stripPrefix }, target), result, `${stripPrefix} from ${target}`);
  }
});

test('a prefix is added without a second slash at the joint', () => {
  assert.equal(rewrite({ addPrefix: '/in' }, '/x?q'), '/in/x?q');
  assert.equal(rewrite({ addPrefix: '/in/' }, '/x'), '/in/x');
  assert.equal(rewrite({ addPrefix: '/in' }, '/'), '/in/');
  assert.equal(rewrite({ stripPrefix: '/api', addPrefix: '/in' }, '/api'), '/in/');
  assert.equal(rewrite({ stripPrefix: '/api', addPrefix: '/in/' }, '/api/x/'), '/in/x/');
  assert.equal(rewrite({ addPrefix: '/' }, '/x'), '/x');
});

test('a replaced path keeps the query', () => {
  assert.equal(rewrite({ replacePath: '/new' }, '/old/x?a=1&b'), '/new?a=1&b');
  assert.equal(rewrite({ replacePath: '/new' }, '/old'), '/new');
});

test('a regex replaces the whole path, and its groups keep their bytes', () => {
  const regex = (pattern: string, replacement: string) => ({ regex: { pattern, with: replacement } });
  assert.equal(rewrite(regex('/users/([^/]+)/(.*)', '/u/$2/$1'), '/users/7/x/y?z=1'), '/u/x/y/7?z=1');
  assert.equal(rewrite(regex('/users/(.*)', '/u/$1'), '/other?q'), '/other?q', 'no match, no change');
  assert.equal(
    rewrite(regex('/users/(.*)', '/u/$1'), '/%75sers/%7e%2f%zz'),
    '/u/%7e%2f%zz',
    'matched as a, kept as %61',
  );
  assert.equal(rewrite(regex('/(a)(b)?', '/$1-$2'), '/a'), '/a-', 'a group that took no part is empty');
  assert.equal(rewrite(regex('/(.*)', '$1'), '/x'), '/x', 'the result begins with a slash');
  assert.equal(rewrite(regex('/(.*)', '/$$1/$1'), '/x'), '/$1/x');
  assert.equal(
    rewrite({ stripPrefix: '/api', ...regex('/(.*)', '/v2/$1'), addPrefix: '/in' }, '/api/x'),
    '/in/v2/x',
    'in this order',
  );
});

test('a replacement that cannot work is refused with the reason', () => {
  assert.equal(replacementProblem('/(a)/(b)', '/$2/$1/$$3'), null);
  assert.match(
    String(replacementProblem('/(a)', '/$2')),
    /\$2, but the number of groups in the pattern is 1/,
  );
  assert.match(String(replacementProblem('/a', '/$x')), /\$1 to \$9/);
  assert.match(String(replacementProblem('/a', '/x?y=1')), /a path cannot contain "\?"/);
  assert.match(String(replacementProblem('/a', '/x\r\n')), /cannot contain spaces/);
  assert.match(String(replacementProblem('/(a', '/x')), /missing/);
});

// ---- redirects

function redirect(to: string, facts: { path?: string; query?: string; authority?: string } = {}): string {
  assert.equal(redirectProblem(to), null, to);
  return expandRedirect(buildRedirect(to), { path: '/p', query: '', authority: 'example.com', ...facts });
}

test('a redirect says path, query and host of the request', () => {
  const facts = { path: '/a%20b/', query: '?x=1', authority: 'Example.com:8080' };
  assert.equal(redirect('https://www.example.com{path}{query}', facts), 'https://www.example.com/a%20b/?x=1');
  assert.equal(
    redirect('https://{host}{path}{query}', facts),
    'https://Example.com/a%20b/?x=1',
    'without the port',
  );
  assert.equal(redirect('https://{host}:8443{path}', facts), 'https://Example.com:8443/a%20b/');
  assert.equal(redirect('https://{host}/', { authority: '[::1]:80' }), 'https://[::1]/');
  assert.equal(redirect('https://{host}/', { authority: '[::1]' }), 'https://[::1]/');
  assert.equal(redirect('/new{path}{query}', facts), '/new/a%20b/?x=1');
  assert.equal(redirect('{path}/{query}', { path: '/x', query: '?y' }), '/x/?y');
  assert.equal(redirect('/fixed', facts), '/fixed');
  assert.equal(redirect('https://a.example{path}', { path: '*' }), 'https://a.example/', 'OPTIONS *');
});

// What a browser makes of Location is the judge (WHATWG URL), not the look of the text.
test('no path that a client writes can lead to another host', t => {
  const seed = Number(process.env.SEED ?? 77);
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const evil = [
    '//evil.com',
    '/\\evil.com',
    '///evil.com',
    '/\t/evil.com',
    '/\r\n/evil.com',
    '\\\\evil.com',
    '/\\/\\evil.com',
    '//evil.com@x',
    '/%2F/evil.com',
    '/.//evil.com',
  ];
  const letters = [
    '/',
    '\\',
    '\t',
    '\n',
    '\r',
    '@',
    ':',
    '.',
    '%',
    'e',
    ' ',
    '\xa0',
    '?',
    '#',
    '[',
    '{host}',
  ];
  for (let round = 0; round < 20_000; round++) {
    const length = Math.floor(random.unit() * 5);
    evil.push(
      `/${Array.from({ length }, () => letters[Math.floor(random.unit() * letters.length)]).join('')}evil.com`,
    );
  }
  for (const path of evil) {
    for (const to of [
      '{path}',
      '/{path}',
      '{path}{query}',
      'https://good.com{path}',
      'https://{host}{path}',
      '/x{path}',
    ]) {
      for (const authority of ['good.com', '']) {
        const location = redirect(to, { path, authority });
        assert.match(location, /^[\x21-\x7e]*$/, 'nothing that could end the header field');
        const { hostname } = new URL(location, 'https://good.com/here');
        assert.equal(
          hostname,
          'good.com',
          `SEED=${seed}: ${to} with ${JSON.stringify(path)} became ${location}`,
        );
      }
    }
  }
});

test('a redirect target that could lead astray is refused with the reason', () => {
  const refused: [to: string, reason: RegExp][] = [
    ['https://{path}', /must begin with/],
    ['https:///{path}', /must begin with/],
    ['https://{host}.evil{path}', /the host of a redirect/],
    ['https://good.com{host}', /the host of a redirect/],
    ['https://good.com@{host}/', /the host of a redirect/],
    ['//other.com/', /http:\/\/ or https/],
    ['/\\other.com/', /http:\/\/ or https/],
    ['{query}', /must begin with/],
    ['{host}/x', /must begin with/],
    ['javascript:alert(1)', /must begin with/],
    ['www.example.com', /must begin with/],
    ['/{pth}', /unknown placeholder \{pth\}/],
    ['/a{path', /unknown placeholder \{path/],
    ['/a b', /cannot contain spaces/],
    ['/a\r\nSet-Cookie: x', /cannot contain spaces/],
  ];
  for (const [to, reason] of refused) assert.match(redirectProblem(to) ?? 'ok', reason, to);
});

test('what a person writes beyond ASCII goes out as UTF-8 with escapes, also half a character', () => {
  assert.equal(rewrite({ addPrefix: '/é' }, '/x?y'), '/%C3%A9/x?y');
  assert.equal(rewrite({ replacePath: '/例' }, '/x'), '/%E4%BE%8B');
  assert.equal(rewrite({ stripPrefix: '/é' }, '/%c3%a9/x'), '/x');
  assert.equal(rewrite({ addPrefix: '/\ud800' }, '/x'), '/%EF%BF%BD/x');
});
