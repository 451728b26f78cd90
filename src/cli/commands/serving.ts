/** Commands that serve until a signal ends them. `src/cli/serving_commands.ts` has their names. */
import type { Command } from '../command.ts';
import { CONFIG_OPTION, configFile } from '../config_place.ts';

export const SERVING: readonly Command[] = [
  {
    name: 'run',
    summary: 'Run in the foreground; SIGTERM drains, SIGHUP reloads',
    positionals: [],
    options: [CONFIG_OPTION],
    examples: [{ command: 'fairlead run --config fairlead.yaml', shows: 'runs the proxy until Ctrl-C' }],
    run: async ({ values, signals }) => {
      const { runProxy } = await import('../run.ts');
      return runProxy(configFile(values), signals);
    },
  },
  {
    name: 'demo',
    summary: 'Run a proxy with three built-in backends to try things out',
    positionals: [],
    options: [],
    examples: [{ command: 'fairlead demo', shows: 'serves on 127.0.0.1:8080, admin API on 127.0.0.1:9901' }],
    run: async ({ signals }) => {
      const { runDemo } = await import('../demo.ts');
      return runDemo(signals);
    },
  },
];
