// examples/deploy/kubernetes: every object parses, and what one says of another is true.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadAll } from 'js-yaml';
import { loadConfigText } from '../../src/config/loader.ts';
import { formatProblems } from '../../src/config/problems.ts';
import { instructionOf, parseDockerfile } from '../support/dockerfile.ts';
import { forwardTo } from '../support/plan_builder.ts';
import { ROOT, startProxy } from '../support/proxy_under_test.ts';
import { fetchRaw } from '../support/raw_client.ts';

const FOLDER = join(ROOT, 'examples/deploy/kubernetes');

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}
type Labels = Readonly<Record<string, string>>;
interface Container {
  readonly env: readonly { readonly name: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle?: unknown;
  readonly securityContext: unknown;
  readonly resources: {
    readonly requests: { readonly cpu: string };
    readonly limits: { readonly memory: string };
  };
  readonly volumeMounts: readonly { readonly mountPath: string; readonly subPath?: string }[];
}
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: {
    readonly runAsNonRoot: boolean;
    readonly runAsUser: number;
    readonly runAsGroup: number;
    readonly seccompProfile: { readonly type: string };
  };
  readonly topologySpreadConstraints: readonly { readonly labelSelector: { readonly matchLabels: Labels } }[];
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly configMap: { readonly name: string } }[];
}
/** What the tests look at; a part that is not there is undefined, and fails. */
interface Kinds {
  readonly Deployment: {
    readonly metadata: { readonly name: string };
    readonly spec: {
      readonly selector: { readonly matchLabels: Labels };
      readonly strategy: {
        readonly rollingUpdate: { readonly maxUnavailable: number; readonly maxSurge: number };
      };
      readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod };
    };
  };
  readonly Service: {
    readonly spec: { readonly selector: Labels; readonly ports: readonly { readonly targetPort: string }[] };
  };
  readonly ConfigMap: {
    readonly metadata: { readonly name: string };
    readonly data: { readonly 'fairlead.yaml': string };
  };
  readonly PodDisruptionBudget: {
    readonly spec: { readonly selector: { readonly matchLabels: Labels }; readonly maxUnavailable: number };
  };
  readonly HorizontalPodAutoscaler: {
    readonly spec: {
      readonly scaleTargetRef: { readonly kind: string; readonly name: string };
      readonly minReplicas: number;
      readonly maxReplicas: number;
    };
  };
}

const objects = readdirSync(FOLDER).flatMap(
  file => loadAll(readFileSync(join(FOLDER, file), 'utf8')) as { readonly kind: string }[],
);
function kind<Name extends keyof Kinds>(name: Name): Kinds[Name] {
  const found: unknown = objects.find(one => one.kind === name);
  return (found as Kinds[Name] | undefined) ?? assert.fail(`no ${name}`);
}

const { template, strategy, selector } = kind('Deployment').spec;
const pod = template.spec;
const [container] = pod.containers;
assert(container !== undefined);
const portOf = (name: string): number =>
  container.ports.find(port => port.name === name)?.containerPort ?? assert.fail(`no port ${name}`);

const text = kind('ConfigMap').data['fairlead.yaml'];
const env = Object.fromEntries(container.env.map(({ name }) => [name, 'a-token-from-a-secret']));
const result = loadConfigText(text, '/etc/fairlead/fairlead.yaml', env);
assert(
  result.kind === 'loaded',
  result.kind === 'invalid' ? formatProblems(result.problems, text, { color: false }) : 'unreadable',
);
const { plan } = result;

test('the configuration is valid with the variables that the pod has, without a warning', () => {
  assert.deepEqual(result.warnings, []);
});

test('there is one object of each kind, and all of them mean the same pods', () => {
  assert.deepEqual(objects.map(one => one.kind).toSorted(), [
    'ConfigMap',
    'Deployment',
    'HorizontalPodAutoscaler',
    'PodDisruptionBudget',
    'Service',
  ]);
  const { labels } = template.metadata;
  assert.deepEqual(selector.matchLabels, labels);
  assert.deepEqual(kind('Service').spec.selector, labels);
  assert.deepEqual(kind('PodDisruptionBudget').spec.selector.matchLabels, labels);
  assert.deepEqual(pod.topologySpreadConstraints[0]?.labelSelector.matchLabels, labels);
  const { scaleTargetRef } = kind('HorizontalPodAutoscaler').spec;
  assert.deepEqual(
    [scaleTargetRef.kind, scaleTargetRef.name],
    ['Deployment', kind('Deployment').metadata.name],
  );
});

test('the ports are those that the configuration listens on', () => {
  const { main } = plan.listeners;
  assert(main?.address.kind === 'tcp' && plan.admin.address?.kind === 'tcp');
  assert.equal(portOf('http'), main.address.port);
  assert.equal(portOf('admin'), plan.admin.address.port);
  const [port] = kind('Service').spec.ports;
  assert.ok(container.ports.some(({ name }) => name === port?.targetPort));
});

test('a pod has time to leave the endpoints, and to drain before it is killed', () => {
  const { delayMs, timeoutMs } = plan.process.drain;
  assert.ok(pod.terminationGracePeriodSeconds * 1_000 >= delayMs + timeoutMs + 5_000);
  const { periodSeconds, timeoutSeconds, failureThreshold } = container.readinessProbe;
  assert.ok(
    delayMs > (periodSeconds * failureThreshold + timeoutSeconds) * 1_000,
    'readiness says no in time',
  );
  assert.equal(container.lifecycle, undefined, 'process.drain.delay needs no preStop sleep');
});

test('an update takes no pod away before its successor is ready', () => {
  assert.equal(strategy.rollingUpdate.maxUnavailable, 0);
  assert.ok(strategy.rollingUpdate.maxSurge >= 1);
  const { minReplicas, maxReplicas } = kind('HorizontalPodAutoscaler').spec;
  assert.ok(minReplicas > kind('PodDisruptionBudget').spec.maxUnavailable && maxReplicas > minReplicas);
});

test('the container has no more rights than the image needs', () => {
  const image = parseDockerfile(readFileSync(join(ROOT, 'examples/deploy/Dockerfile'), 'utf8')).at(-1);
  assert(image !== undefined);
  const { securityContext } = pod;
  assert.equal(`${securityContext.runAsUser}:${securityContext.runAsGroup}`, instructionOf(image, 'USER'));
  assert.deepEqual(
    [securityContext.runAsNonRoot, securityContext.seccompProfile.type, pod.automountServiceAccountToken],
    [true, 'RuntimeDefault', false],
  );
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.ok(container.resources.requests.cpu && container.resources.limits.memory);
});

test('the configuration is mounted as a folder where the image looks for it, so that a reload sees its change', () => {
  const image = parseDockerfile(readFileSync(join(ROOT, 'examples/deploy/Dockerfile'), 'utf8')).at(-1);
  assert(image !== undefined);
  const [mount] = container.volumeMounts;
  assert(mount !== undefined);
  assert.equal(mount.subPath, undefined);
  const file = `${mount.mountPath}/${Object.keys(kind('ConfigMap').data)[0]}`;
  assert.ok(instructionOf(image, 'CMD').includes(`"${file}"`));
  assert.equal(pod.volumes[0]?.configMap.name, kind('ConfigMap').metadata.name);
  assert.equal(plan.process.reload.watch, true);
});

test('the probes are answered without a token, whatever name the kubelet calls the pod by', async () => {
  const admin = { address: '127.0.0.1:0', token: 'a-token-from-a-secret' };
  await using proxy = await startProxy(
    forwardTo(['127.0.0.1:1'], { admin, route: { forward: undefined, respond: { status: 204 } } }),
  );
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    const asked: Probe['httpGet'] = container[probe].httpGet;
    assert.equal(asked.port, 'admin');
    const answer = await fetchRaw(proxy.admin(), asked.path, { headers: ['Host', '10.1.2.3:9901'] });
    assert.equal(answer.status, 200, `${probe} ${asked.path}`);
  }
});
