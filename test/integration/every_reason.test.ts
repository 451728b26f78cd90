// Each row of the failure table, provoked with real sockets: the same reason stands in the status code, in
// Proxy-Status, in the body, in the log line, in the metric and in the decision record.
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import type { StartOptions } from '../../src/lifecycle/running_proxy.ts';
import { FAILURE_RULES, type FailureKind } from '../../src/resilience/failure.ts';
import { RateLimiter } from '../../src/security/rate_limit.ts';
import {
  answer,
  cutInBody,
  raw,
  resetBeforeHead,
  stallAfterHead,
  staySilent,
  tunnel,
} from '../support/backend_behaviours.ts';
import { ca, server } from '../support/certificates.ts';
import { value } from '../support/http1_message.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { type ProxyInProcess, ROOT, startProxy } from '../support/proxy_under_test.ts';
import { type Answer, connectRaw, fetchRaw, formatRequest, TruncatedAnswer } from '../support/raw_client.ts';
import {
  type BackendOptions,
  type Behaviour,
  type ScriptedBackend,
  startBackend,
} from '../support/scripted_backend.ts';

interface Scene {
  readonly proxy: ProxyInProcess;
  readonly backend: ScriptedBackend;
}

interface Row {
  /** What `forwardTo` is told beside the backend. */
  readonly options?: Record<string, unknown>;
  readonly behaviour?: Behaviour;
  readonly backend?: BackendOptions;
  /** Another endpoint than the backend. */
  readonly endpoint?: string;
  readonly lookUp?: StartOptions['lookUp'];
  readonly heapRatio?: StartOptions['heapRatio'];
  /** Makes it happen; null where there is nobody to answer. */
  readonly provoke?: (scene: Scene) => Promise<Answer | null>;
}

const PROBLEM = ['Accept', 'application/json'];
const get = ({ proxy }: Scene, headers: readonly string[] = []) =>
  fetchRaw(proxy.target(), '/', { headers: [...PROBLEM, ...headers] });
const post = ({ proxy }: Scene) =>
  fetchRaw(proxy.target(), '/', { method: 'POST', headers: PROBLEM, body: 'xxx' });
/** These bytes as they are. */
const send = async ({ proxy }: Scene, bytes: string) => {
  using client = await connectRaw(proxy.target());
  void client.send(bytes);
  return await client.answer();
};
/** Two requests; the answer to the second. */
const again = async (scene: Scene) => {
  await get(scene);
  return get(scene);
};
/** One request stays with the backend; the answer to the next one. */
const behindAnother = async (scene: Scene) => {
  using first = await connectRaw(scene.proxy.target());
  void first.send(formatRequest('/'));
  await scene.backend.requestCount(1);
  return await get(scene);
};

const NO_RETRIES = { route: { retries: { attempts: 0 } } };
const ONE_CONNECTION = { cluster: { pool: { connections: 1, queue: 1, queueTimeout: '50ms' } } };

const ROWS: Readonly<Partial<Record<FailureKind, Row>>> = {
  bad_request: {
    provoke: scene => send(scene, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept: application/json\r\n\r\n'),
  },
  client_timeout: {
    options: { listener: { timeouts: { bodyIdle: '50ms' } } },
    behaviour: answer(),
    provoke: scene =>
      send(scene, 'POST / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nContent-Length: 9\r\n\r\nx'),
  },
  body_too_large: { options: { listener: { limits: { bodyBytes: '2B' } } }, provoke: post },
  uri_too_long: {
    options: { listener: { limits: { uriBytes: '64B' } } },
    provoke: ({ proxy }) => fetchRaw(proxy.target(), `/${'x'.repeat(99)}`, { headers: PROBLEM }),
  },
  head_too_large: {
    options: { listener: { limits: { headerCount: 4 } } },
    provoke: scene => get(scene, ['a', '1', 'b', '2', 'c', '3', 'd', '4']),
  },
  no_route: { options: { route: { match: { path: { exact: '/elsewhere' } } } } },
  maintenance: { options: { route: { maintenance: 'on' } } },
  access_denied: { options: { route: { access: { deny: ['127.0.0.0/8'] } } } },
  misdirected_request: {
    options: {
      listener: {
        tls: {
          certificates: [{ certFile: server.certFile, keyFile: server.keyFile }],
          misdirected: 'reject',
        },
      },
    },
    provoke: ({ proxy }) => {
      const target = { ...proxy.target(), tls: { ca, servername: 'app.test' } };
      return fetchRaw(target, '/', { headers: [...PROBLEM, 'Host', 'elsewhere.test'] });
    },
  },
  auth_required: {
    options: { route: { basicAuth: { file: join(ROOT, 'test/support/users/users.htpasswd') } } },
  },
  limit_store_failed: {
    options: {
      route: { rateLimits: [{ key: 'route', rate: '9/m', store: 'shared' }] },
      stores: { shared: { redis: 'redis://127.0.0.1:1', onError: 'deny' } },
    },
  },
  method_not_supported: {
    provoke: scene =>
      send(scene, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nAccept: application/json\r\n\r\n'),
  },
  rate_limited: { options: { route: { rateLimits: [{ key: 'route', rate: '1/m' }] } }, provoke: again },
  too_many_tunnels: {
    options: { listener: { limits: { tunnelsPerIp: 1 } } },
    behaviour: tunnel(() => {}),
    provoke: async scene => {
      const headers = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
      using client = await connectRaw(scene.proxy.target());
      void client.send(formatRequest('/', { headers }));
      await scene.backend.requestCount(1);
      return await get(scene, headers);
    },
  },
  client_gone: {
    behaviour: staySilent(),
    provoke: async ({ proxy, backend }) => {
      using client = await connectRaw(proxy.target());
      void client.send(formatRequest('/'));
      await backend.requestCount(1);
      client.destroy();
      return null;
    },
  },
  no_healthy_backend: {
    // The first probe comes at once; with its 2 s it is the status that it reports, however busy the machine is.
    options: { cluster: { health: { active: { path: '/', unhealthyAfter: 1 } } } },
    behaviour: answer({ status: 500 }),
    provoke: async scene => {
      await scene.proxy.lines.next({ event: 'health_changed', to: 'unhealthy' });
      return get(scene);
    },
  },
  circuit_open: {
    options: { cluster: { circuitBreaker: { minRequests: 1 } } },
    behaviour: answer({ status: 500 }),
    provoke: again,
  },
  queue_full: {
    options: { cluster: { pool: { connections: 1, queue: 0 } } },
    behaviour: staySilent(),
    provoke: behindAnother,
  },
  queue_timeout: { options: ONE_CONNECTION, behaviour: staySilent(), provoke: behindAnother },
  dns_failed: {
    endpoint: 'nowhere.test:80',
    lookUp: () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
    provoke: async scene => {
      await scene.proxy.lines.next({ event: 'name_failed' });
      return get(scene);
    },
  },
  connect_refused: { endpoint: '127.0.0.1:1', options: NO_RETRIES },
  connect_timeout: {
    // The handshake is part of connecting, and this backend never says a word.
    options: { cluster: { tls: { verify: false }, pool: { connectTimeout: '50ms' } }, ...NO_RETRIES },
    backend: { onConnection: () => 'stay_silent' },
  },
  tls_failed: {
    options: { cluster: { tls: { verify: false } }, ...NO_RETRIES },
    backend: { onConnection: () => 'reset' },
  },
  reset_before_head: { options: NO_RETRIES, behaviour: resetBeforeHead() },
  response_head_timeout: {
    options: { route: { timeouts: { responseHead: '50ms' }, retries: { attempts: 0 } } },
    behaviour: staySilent(),
  },
  per_try_timeout: {
    options: { route: { retries: { attempts: 0, perTry: '50ms' } } },
    behaviour: staySilent(),
  },
  bad_response: { behaviour: raw('HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n') },
  reset_in_body: { behaviour: cutInBody('some of it') },
  response_idle_timeout: {
    options: { route: { timeouts: { responseIdle: '50ms' } } },
    behaviour: stallAfterHead('some of it'),
  },
  request_timeout: {
    options: { route: { timeouts: { request: '50ms', responseHead: 'off' } } },
    behaviour: staySilent(),
  },
  tunnel_idle_timeout: {
    options: { route: { timeouts: { tunnelIdle: '50ms' } } },
    behaviour: tunnel(() => {}),
    provoke: async ({ proxy }) => {
      using client = await connectRaw(proxy.target());
      void client.send(formatRequest('/', { headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket'] }));
      await proxy.lines.next({ status: 101 });
      return null;
    },
  },
  loop_detected: {
    behaviour: answer(),
    provoke: async scene => {
      await get(scene);
      const via = value(scene.backend.requests[0]?.headers ?? [], 'via');
      return get(scene, ['Via', String(via)]);
    },
  },
  overloaded: {
    heapRatio: () => 1,
    provoke: async scene => {
      await scene.proxy.lines.next({ event: 'overload' });
      return get(scene);
    },
  },
  /** With a real limit of descriptors: blame.test.ts. */
  local_exhausted: {
    provoke: async scene => {
      const connect = net.connect;
      const mocked = mock.method(net, 'connect', (options: net.NetConnectOpts, ready?: () => void) => {
        if (!('port' in options) || options.port !== scene.backend.port) return connect(options, ready);
        return new net.Socket().destroy(Object.assign(new Error('no descriptor'), { code: 'EMFILE' }));
      });
      const given = get(scene);
      await scene.proxy.lines.next({ reason: 'local_exhausted' });
      mocked.mock.restore();
      return given;
    },
  },
  /** A defect of ours: nothing from outside may bring it about, so one is made. */
  internal: {
    options: { route: { rateLimits: [{ key: 'route', rate: '9/m' }] } },
    provoke: async scene => {
      const admit = mock.method(RateLimiter.prototype, 'decide', () => {
        throw new Error('a defect');
      });
      const given = await get(scene);
      admit.mock.restore();
      await scene.proxy.lines.next({ event: 'defect' });
      return given;
    },
  },
  shutting_down: {
    options: { process: { drain: { timeout: '50ms' } } },
    behaviour: staySilent(),
    provoke: async scene => {
      using client = await connectRaw(scene.proxy.target());
      void client.send(formatRequest('/', { headers: PROBLEM }));
      await scene.backend.requestCount(1);
      void scene.proxy.proxy.drain('the test');
      return await client.answer();
    },
  },
};

/** What nothing from outside can bring about, and where it is seen instead. */
const ELSEWHERE: Readonly<Partial<Record<FailureKind, string>>> = {};

/** There is nobody left to send it to, or an answer was under way already. */
const NO_ANSWER: ReadonlySet<string> = new Set([
  'client_gone',
  'reset_in_body',
  'response_idle_timeout',
  'tunnel_idle_timeout',
]);

/** What an operator is told beyond the reason. */
const DETAILS: Readonly<Partial<Record<FailureKind, RegExp>>> = {
  body_too_large: /^the limit is 2 bytes$/,
  uri_too_long: /^the limit is 64 bytes$/,
  head_too_large: /^the limit is 4 fields$/,
  maintenance: /^set at fairlead\.yaml:\d+:\d+$/,
  access_denied: /^by routes\.all\.access$/,
  too_many_tunnels: /^the limit is 1 tunnels$/,
  rate_limited: /^limit all\/0$/,
  no_healthy_backend: /^1 unhealthy \(status 500, expected 200 to 399\)$/,
  circuit_open: /failed within .* most recently /,
  queue_full: /^the limit is 0 waiting requests$/,
  dns_failed: /: E[A-Z_]+$/,
  tls_failed: /^(?:certificate|protocol) \w+$/,
  overloaded: /^heap$/,
  limit_store_failed: /^store shared: unavailable$/,
};

test('every reason of the table is provoked here, or the place is named', () => {
  assert.deepEqual(
    [...Object.keys(ROWS), ...Object.keys(ELSEWHERE)].sort(),
    Object.keys(FAILURE_RULES).sort(),
  );
});

for (const [kind, row] of Object.entries(ROWS)) {
  test(`${kind}: one reason in the answer, the log and the metrics`, async () => {
    const rule = FAILURE_RULES[kind as FailureKind];
    await using backend = await startBackend(row.behaviour ?? answer(), row.backend);
    const { provoke = get, lookUp, heapRatio } = row;
    const config = forwardTo([row.endpoint ?? backend.address], {
      admin: { address: '127.0.0.1:0' },
      ...row.options,
    });
    const proxy = await startProxy(config, {
      ...(lookUp === undefined ? {} : { lookUp }),
      ...(heapRatio === undefined ? {} : { heapRatio }),
    });
    try {
      const given = await provoke({ proxy, backend }).catch((error: unknown) => {
        if (error instanceof TruncatedAnswer) return null;
        throw error;
      });
      const line = await proxy.lines.next({ reason: kind });
      if (given === null) assert.ok(NO_ANSWER.has(kind));
      else checkAnswer(given, kind as FailureKind, String(line['requestId']));
      assert.equal(line['status'], given?.status ?? line['status']);
      assert.match(String(line['detail']), DETAILS[kind as FailureKind] ?? /./);
      assert.equal(line['level'], { info: 30, warn: 40, error: 50 }[rule.logLevel]);
      const id = String(line['requestId']);
      const ask = kind === 'shutting_down' ? askReport : askAdmin; // the admin API goes with the process
      const { record, text } = await ask(proxy, id);
      assert.deepEqual([record.id, record.reason], [id, kind], 'the decision record');
      assert.match(
        text,
        new RegExp(`^fairlead_failures_total\\{reason="${kind}",route="(?:all|-)"\\} 1$`, 'm'),
      );
    } finally {
      // What is still with a silent backend would hold up the drain.
      await backend.close();
      if (kind === 'shutting_down') await proxy.stop().catch(() => {});
      else await proxy.stop();
    }
  });
}

async function askAdmin(proxy: ProxyInProcess, id: string) {
  const look = async (path: string) =>
    (await fetchRaw(proxy.admin(), path, { headers: ['Host', 'localhost'] })).text;
  return { record: JSON.parse(await look(`/requests/${id}`)), text: await look('/metrics') };
}

/** What the admin API would have said. */
async function askReport({ report }: ProxyInProcess, id: string) {
  return { record: report.request(id) ?? { id: null, reason: null }, text: (await report.metrics('')).text };
}

function checkAnswer({ status, headers, text }: Answer, kind: FailureKind, requestId: string): void {
  const rule = FAILURE_RULES[kind];
  assert.equal(status, rule.status);
  const token = kind === 'tls_failed' ? 'tls_(?:protocol|certificate)_error' : rule.proxyStatus;
  assert.match(value(headers, 'proxy-status') ?? '', new RegExp(`^fairlead; error=${token}$`));
  assert.equal(value(headers, 'x-request-id'), requestId);
  assert.equal(value(headers, 'retry-after') !== null, status === 503 || status === 429);
  const problem = JSON.parse(text);
  assert.deepEqual(
    [problem.type, problem.title, problem.status, problem.reason, problem.instance],
    [`urn:fairlead:docs/reasons.md#${kind}`, rule.title, status, kind, requestId],
  );
}
