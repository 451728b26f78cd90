/** Commands that talk to the running process. */
import type { Command } from '../command.ts';
import { ADMIN_OPTIONS, adminTarget } from '../config_place.ts';
import { UsageError } from '../parse_words.ts';

export const RUNNING: readonly Command[] = [
  {
    name: 'status',
    summary: 'Show the state of the running process',
    positionals: [],
    options: [
      ...ADMIN_OPTIONS,
      { name: 'json', description: 'Print /status of the admin API as it is' },
      { name: 'watch', short: 'w', description: 'Show it again every second, until Ctrl-C' },
      {
        name: 'ready',
        description:
          'Only exit with 0 if the process is ready for traffic, else with 1 and a reason: a health check',
      },
    ],
    examples: [
      { command: 'fairlead status --watch', shows: 'the state, every second' },
      { command: 'fairlead status --ready', shows: 'a health check' },
    ],
    run: async ({ values }) => {
      const { runReady, runStatus } = await import('../status.ts');
      const options = { json: values.flag('json'), watch: values.flag('watch') };
      if (!values.flag('ready')) return runStatus(adminTarget(values), options);
      if (options.json || options.watch)
        throw new UsageError('status --ready goes with neither --json nor --watch');
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
    ],
    examples: [{ command: 'fairlead drain --watch', shows: 'what is still in flight, until the end' }],
    run: async ({ values }) => {
      const { runDrain } = await import('../act.ts');
      return runDrain(adminTarget(values), values.flag('watch'));
    },
  },
];
