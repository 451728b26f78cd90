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
    name: 'proxy',
    summary: 'Run a proxy without a configuration file',
    details: [
      'One listener, one cluster: with connect probes, ejection of endpoints that fail, and two retries. Several --to ' +
        'share the load. https:// in --to means TLS to the backend; a single one with a name is asked as that name.',
    ],
    positionals: [],
    options: [
      {
        name: 'from',
        value: 'ADDRESS',
        default: ':8080',
        description:
          'Where to listen: :PORT for every address of the machine, HOST:PORT, unix:PATH; default: :8080',
      },
      {
        name: 'to',
        value: 'ADDRESS',
        repeatable: true,
        description:
          'A backend: HOST:PORT, http://HOST, https://HOST, unix:PATH; may be given more than once',
      },
      { name: 'cert', value: 'FILE', complete: 'file', description: 'Certificate chain in PEM: serve TLS' },
      { name: 'key', value: 'FILE', complete: 'file', description: 'Private key of the certificate, in PEM' },
      {
        name: 'admin',
        value: 'ADDRESS',
        default: 'off',
        description: 'Address of the admin API and status page, or off; default: off',
      },
      { name: 'print', description: 'Print the configuration that would run, and stop' },
    ],
    examples: [
      { command: 'fairlead proxy --from :8080 --to 127.0.0.1:3000', shows: 'port 8080 to an application' },
      {
        command:
          'fairlead proxy --from :8080 --to 127.0.0.1:3000 --to 127.0.0.1:3001 --print > fairlead.yaml',
        shows: 'a file to begin with',
      },
    ],
    run: async ({ values, signals }) => {
      const { runProxyCommand } = await import('../proxy.ts');
      const options = {
        from: values.text('from') ?? '',
        to: values.texts('to'),
        cert: values.text('cert'),
        key: values.text('key'),
        admin: values.text('admin') ?? 'off',
      };
      return runProxyCommand(options, values.flag('print'), signals);
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
