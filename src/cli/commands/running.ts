/** Commands that talk to the running process. */
import { nearestHint } from '../../config/nearest.ts';
import type { Command } from '../command.ts';
import { ADMIN_OPTIONS, adminTarget } from '../config_place.ts';
import { UsageError } from '../parse_words.ts';

const ENDPOINT_ACTIONS = ['drain', 'ready'] as const;

export const RUNNING: readonly Command[] = [
  {
    name: 'status',
    summary: 'Show the state of the running process',
    details: [
      'Problems come first, each with the key of the configuration to change; then every endpoint, the failing ones first. requests, failed and p95 are those of the last minute; active are the requests in flight.',
      'CLUSTER shows one cluster, and all that is known of each endpoint.',
    ],
    positionals: [{ name: 'CLUSTER', optional: true }],
    options: [
      ...ADMIN_OPTIONS,
      { name: 'failing', description: 'Show only endpoints that are not right' },
      { name: 'json', description: 'Print /status of the admin API, with the same problems and endpoints' },
      { name: 'watch', short: 'w', description: 'Show it again every second, until Ctrl-C' },
      {
        name: 'ready',
        description:
          'Only exit with 0 if the process is ready for traffic, else with 1 and a reason: a health check',
      },
    ],
    examples: [
      { command: 'fairlead status --watch', shows: 'the state, every second' },
      { command: 'fairlead status --failing', shows: 'only what is not right' },
      { command: 'fairlead status api', shows: 'the cluster api in detail' },
      { command: 'fairlead status --ready', shows: 'a health check' },
    ],
    run: async ({ values, positionals: [cluster = null] }) => {
      const { runReady, runStatus } = await import('../status.ts');
      const options = {
        json: values.flag('json'),
        watch: values.flag('watch'),
        failing: values.flag('failing'),
        cluster,
      };
      if (!values.flag('ready')) return runStatus(adminTarget(values), options);
      if (options.json || options.watch || options.failing || cluster !== null)
        throw new UsageError('status --ready stands alone, without CLUSTER, --failing, --json and --watch');
      return runReady(adminTarget(values));
    },
  },
  {
    name: 'reload',
    summary: 'Reload the configuration of the running process',
    positionals: [],
    options: ADMIN_OPTIONS,
    examples: [{ command: 'fairlead reload', shows: 'what changed, or why the file was rejected' }],
    run: async ({ values }) => {
      const { runReload } = await import('../act.ts');
      return runReload(adminTarget(values));
    },
  },
  {
    name: 'rollback',
    summary: 'Go back to the previous plan, or to one that /status lists',
    positionals: [{ name: 'DIGEST', optional: true }],
    options: ADMIN_OPTIONS,
    examples: [{ command: 'fairlead rollback', shows: 'goes back to the previous plan' }],
    run: async ({ values, positionals: [digest] }) => {
      const { runRollback } = await import('../act.ts');
      return runRollback(adminTarget(values), digest);
    },
  },
  {
    name: 'drain',
    summary: 'Shut down the running process once requests in flight have finished',
    details: ['A second drain forces the end.'],
    positionals: [],
    options: [
      ...ADMIN_OPTIONS,
      { name: 'watch', short: 'w', description: 'Show the progress until the process has ended' },
      { name: 'yes', short: 'y', description: 'Do not ask, which it does on a terminal' },
    ],
    examples: [
      { command: 'fairlead drain --watch', shows: 'what is still in flight, until the end' },
      { command: 'fairlead drain --yes', shows: 'does not ask' },
    ],
    run: async ({ values }) => {
      const { runDrain } = await import('../act.ts');
      return runDrain(adminTarget(values), { watch: values.flag('watch'), yes: values.flag('yes') });
    },
  },
  {
    name: 'endpoint',
    summary: 'Take one endpoint out of its cluster, or put it back',
    details: [
      'drain: the endpoint gets no new requests, those in flight finish. ready: it gets requests again, if it is healthy.',
      'ENDPOINT is the address as fairlead status shows it. A reload keeps it drained; a restart does not.',
    ],
    positionals: [{ name: 'ACTION', complete: ENDPOINT_ACTIONS }, { name: 'CLUSTER' }, { name: 'ENDPOINT' }],
    options: ADMIN_OPTIONS,
    examples: [
      { command: 'fairlead endpoint drain api 10.0.0.7:8080', shows: 'no new requests, before a deployment' },
      { command: 'fairlead endpoint ready api 10.0.0.7:8080', shows: 'puts it back' },
    ],
    run: async ({ values, positionals: [word = '', cluster = '', endpoint = ''] }) => {
      const { runEndpoint } = await import('../act.ts');
      const action = ENDPOINT_ACTIONS.find(known => known === word);
      if (action !== undefined) return runEndpoint(adminTarget(values), action, cluster, endpoint);
      throw new UsageError(
        `"${word}" is no action of endpoint; write drain or ready${nearestHint(word, ENDPOINT_ACTIONS)}`,
      );
    },
  },
];
