/** The configuration that options stand for is valid without a warning, and a problem in it points to its option. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../src/cli/parse_words.ts';
import { optionOf, type ProxyOptions, proxyConfigText } from '../../src/cli/proxy_config.ts';
import { loadConfigText } from '../../src/config/loader.ts';
import { server } from '../support/certificates.ts';
import { planOf } from '../support/plan_builder.ts';

const options = (change: Partial<ProxyOptions> = {}): ProxyOptions => ({
  from: ':8080',
  to: ['127.0.0.1:3000'],
  cert: null,
  key: null,
  admin: 'off',
  ...change,
});
const plan = (change: Partial<ProxyOptions>) => planOf(proxyConfigText(options(change)));
const endpoints = (change: Partial<ProxyOptions>) =>
  plan(change).clusters['app']?.endpoints.map(({ address }) => address);
const refused = (pattern: RegExp, change: Partial<ProxyOptions>) =>
  assert.throws(
    () => proxyConfigText(options(change)),
    error => error instanceof UsageError && pattern.test(error.message),
  );

test('the text is a valid file without a warning', () => {
  const result = loadConfigText(proxyConfigText(options()), 'fairlead.yaml', {});
  assert.equal(result.kind, 'loaded');
  assert.deepEqual(result.kind === 'loaded' && result.warnings, []);
});

test('it retries, probes and ejects', () => {
  const { routes, clusters } = plan({ to: ['127.0.0.1:3000', '127.0.0.1:3001'] });
  assert.equal(routes[0]?.retries.attemptsMax, 2);
  assert.ok(clusters['app']?.health.active && clusters['app'].health.passive);
  assert.equal(clusters['app'].endpoints.length, 2);
});

test('a backend may be a port of this machine, a URL or a socket', () => {
  const local = { kind: 'tcp', host: '127.0.0.1', port: 3000 };
  for (const to of ['3000', ':3000', '127.0.0.1:3000', 'http://127.0.0.1:3000', 'http://127.0.0.1:3000/'])
    assert.deepEqual(endpoints({ to: [to] }), [local], to);
  assert.deepEqual(endpoints({ to: ['http://[::1]:3000'] }), [{ kind: 'tcp', host: '::1', port: 3000 }]);
  assert.deepEqual(endpoints({ to: ['http://app.test'] }), [{ kind: 'tcp', host: 'app.test', port: 80 }]);
  assert.deepEqual(endpoints({ to: ['unix:/run/app.sock'] }), [{ kind: 'unix', path: '/run/app.sock' }]);
});

test('https is TLS to the backend, which is asked by its own name', () => {
  const { clusters, routes } = plan({ to: ['https://api.example.com'] });
  assert.deepEqual(clusters['app']?.endpoints[0]?.address, {
    kind: 'tcp',
    host: 'api.example.com',
    port: 443,
  });
  assert.ok(clusters['app']?.tls);
  assert.match(JSON.stringify(routes[0]), /"api\.example\.com"/);
  assert.equal(plan({ to: ['http://app.test'] }).clusters['app']?.tls, null);
  assert.doesNotMatch(proxyConfigText(options({ to: ['https://10.0.0.1'] })), /rewrite/);
});

test('a certificate with its key makes it serve TLS, and $ in a name is no variable', () => {
  const site = { cert: server.certFile, key: server.keyFile };
  assert.ok(plan(site).listeners['main']?.tls);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the configuration file
  assert.match(proxyConfigText(options({ cert: '/a/${X}.crt', key: 'k' })), /"\/a\/\$\$\{X\}\.crt"/);
});

test('what does not go together is refused with what to write', () => {
  refused(/--cert and --key go together/, { cert: 'a.crt' });
  refused(/--cert and --key go together/, { key: 'a.key' });
  refused(/needs --to/, { to: [] });
  refused(/cannot share one cluster/, { to: ['https://a.test', '127.0.0.1:1'] });
  refused(/only scheme, host and port; for a path/, { to: ['http://a.test/api'] });
  refused(/the scheme is http or https/, { to: ['ftp://a.test'] });
});

test('a problem points to the option that it comes from', () => {
  const wrong = options({
    from: '22',
    to: ['127.0.0.1:1', '10.0.0.300:80'],
    admin: 'x',
    cert: 'no.crt',
    key: 'no.key',
  });
  const result = loadConfigText(proxyConfigText(wrong), 'fairlead.yaml', {});
  assert(result.kind === 'invalid');
  const named = new Set(result.problems.map(problem => optionOf(problem, wrong)));
  for (const option of ['--from 22', '--to 10.0.0.300:80', '--admin x']) assert.ok(named.has(option), option);
  const files = loadConfigText(
    proxyConfigText(options({ cert: 'no.crt', key: 'no.key' })),
    'fairlead.yaml',
    {},
  );
  assert(files.kind === 'invalid');
  assert.deepEqual(
    files.problems.map(problem => optionOf(problem, wrong)),
    ['--cert no.crt', '--key no.key'],
  );
});
