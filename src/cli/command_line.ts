/** The command line: which command, with which options, and with which exit code it ends. */
import { parseArgs } from 'node:util';
import type { Signals } from '../lifecycle/signals.ts';
import { readVersion } from '../lifecycle/version.ts';
import { runDrain, runReload, runRollback } from './act.ts';
import type { AdminTarget } from './admin_client.ts';
import { runCheck, runShadowCheck } from './check.ts';
import { runDemo } from './demo.ts';
import { runDiff } from './diff.ts';
import { EXIT } from './exit_codes.ts';
import { runExplain } from './explain.ts';
import { runExplainRequest } from './explain_request.ts';
import { runPlan } from './plan.ts';
import { runProxy } from './run.ts';
import { runSchema } from './schema.ts';
import { runReady, runStatus } from './status.ts';

const HELP = `fairlead: a reverse proxy for HTTP/1.1, HTTP/2 and WebSocket

Usage: fairlead COMMAND [--config FILE]

Commands
  run                      Run in the foreground; SIGTERM drains, SIGHUP reloads
  check [--json]           Check the configuration file and list every problem; opens no port
  check --against-running  Ask the running process which of its recent requests the file would send elsewhere
  diff [--json] OLD NEW    Show what changes in meaning between two files, each change with its class: live, drain
                           (something that serves goes away) or restart (a reload would be refused)
  plan [--origins]         Print the compiled plan as JSON: defaults written out, secrets masked;
                           --origins adds the line that set each value
  explain [-X METHOD] [-H 'name: value'] [--client-ip IP] [--listener NAME] [--json] URL
                           Show which route a request would take, why more specific routes did not match,
                           and what the backend would receive
  explain --request ID     Show what happened to a request in the running process, and why
  status [--watch] [--json]   Show the state of the running process
  status --ready           Exit with 0 if the running process is ready for traffic, else with 1: a health check
  reload                   Reload the configuration of the running process
  drain [--watch]          Shut down the running process once requests in flight have finished;
                           --watch shows its progress until it has ended. A second drain forces the end
  rollback [DIGEST]        Go back to the previous plan, or to one that /status lists
  schema                   Print the JSON Schema of the configuration, for editors
  demo                     Run a proxy with three built-in backends to try things out

Options
  -c, --config FILE        Configuration file; default: $FAIRLEAD_CONFIG, then /etc/fairlead/fairlead.yaml
  --admin ADDRESS          Admin address of the running process, for status, reload, rollback, drain and
                           explain --request; default: $FAIRLEAD_ADMIN (with $FAIRLEAD_ADMIN_TOKEN),
                           then admin.address of the configuration file
  --version, --help

Exit codes
  0   success                                  66  configuration file not readable
  1   forced shutdown, request refused,        69  address already in use
      no matching route                        70  internal error
  64  usage error                              78  invalid configuration
`;

interface Command {
  readonly options: NonNullable<Parameters<typeof parseArgs>[0]>['options'];
  /** The exact number of positional arguments, or the least and the most. */
  readonly positionals: number | readonly [number, number];
  run(
    values: Readonly<Record<string, unknown>>,
    positionals: readonly string[],
    signals: Signals,
  ): Promise<number>;
}

const CONFIG = { config: { type: 'string', short: 'c' } } as const;
/** Options of commands that talk to the running process. */
const ADMIN = { ...CONFIG, admin: { type: 'string' } } as const;

const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    options: CONFIG,
    positionals: 0,
    run: (values, _, signals) => runProxy(configFile(values), signals),
  },
  check: {
    options: { ...ADMIN, json: { type: 'boolean' }, 'against-running': { type: 'boolean' } },
    positionals: 0,
    run: values => {
      const json = values['json'] === true;
      if (values['against-running'] !== true) return runCheck(configFile(values), json);
      return runShadowCheck(adminPlace(values), configFile(values), json);
    },
  },
  diff: {
    options: { json: { type: 'boolean' } },
    positionals: 2,
    run: (values, [before = '', after = '']) => runDiff(before, after, values['json'] === true),
  },
  plan: {
    options: { ...CONFIG, origins: { type: 'boolean' } },
    positionals: 0,
    run: values => runPlan(configFile(values), values['origins'] === true),
  },
  explain: {
    options: {
      ...ADMIN,
      method: { type: 'string', short: 'X', default: 'GET' },
      header: { type: 'string', short: 'H', multiple: true, default: [] },
      'client-ip': { type: 'string', default: '127.0.0.1' },
      listener: { type: 'string' },
      request: { type: 'string' },
      json: { type: 'boolean' },
    },
    positionals: [0, 1],
    run: (values, [url]) => explain(values, url),
  },
  status: {
    options: {
      ...ADMIN,
      json: { type: 'boolean' },
      watch: { type: 'boolean', short: 'w' },
      ready: { type: 'boolean' },
    },
    positionals: 0,
    run: values => status(values),
  },
  reload: { options: ADMIN, positionals: 0, run: values => runReload(adminPlace(values)) },
  rollback: {
    options: ADMIN,
    positionals: [0, 1],
    run: (values, [digest]) => runRollback(adminPlace(values), digest),
  },
  drain: {
    options: { ...ADMIN, watch: { type: 'boolean', short: 'w' } },
    positionals: 0,
    run: values => runDrain(adminPlace(values), values['watch'] === true),
  },
  schema: { options: {}, positionals: 0, run: () => runSchema() },
  demo: { options: {}, positionals: 0, run: (_values, _positionals, signals) => runDemo(signals) },
};

/** `explain --request ID` asks the running process; `explain URL` only reads the configuration file. */
function explain(values: Readonly<Record<string, unknown>>, url: string | undefined): Promise<number> {
  const json = values['json'] === true;
  if (typeof values['request'] === 'string')
    return runExplainRequest(adminPlace(values), values['request'], json);
  if (url === undefined) return Promise.resolve(usageError('explain needs a URL or --request ID'));
  return runExplain(configFile(values), {
    url,
    method: String(values['method']),
    headers: values['header'] as string[],
    clientIp: String(values['client-ip']),
    listener: values['listener'] === undefined ? null : String(values['listener']),
    json,
  });
}

function status(values: Readonly<Record<string, unknown>>): Promise<number> {
  const options = { json: values['json'] === true, watch: values['watch'] === true };
  if (values['ready'] !== true) return runStatus(adminPlace(values), options);
  if (options.json || options.watch)
    return Promise.resolve(usageError('status --ready goes with neither --json nor --watch'));
  return runReady(adminPlace(values));
}

/** An empty environment variable counts as unset. */
function configFile({ config }: Readonly<Record<string, unknown>>): string {
  return String(config ?? (process.env['FAIRLEAD_CONFIG'] || '/etc/fairlead/fairlead.yaml'));
}

function adminPlace(values: Readonly<Record<string, unknown>>): AdminTarget {
  const address = values['admin'] ?? process.env['FAIRLEAD_ADMIN'];
  return {
    file: configFile(values),
    address: typeof address === 'string' && address !== '' ? address : null,
  };
}

function usageError(message: string): number {
  process.stderr.write(`fairlead: ${message}\nTry: fairlead --help\n`);
  return EXIT.usage;
}

/** Runs one command and resolves to its exit code (`EXIT`). Does not reject: a defect is printed and gives `EXIT.internal`. */
export async function runCommandLine(words: readonly string[], signals: Signals): Promise<number> {
  const [name, ...rest] = words;
  if (name === '--help' || name === '-h' || name === 'help') return print(HELP);
  if (name === '--version' || name === '-v') return print(`fairlead ${readVersion()}\n`);
  if (name === undefined) return usageError('a command is missing');
  const command = COMMANDS[name];
  if (command === undefined) return usageError(`unknown command "${name}"`);
  if (rest.includes('--help') || rest.includes('-h')) return print(HELP);
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: command.options ?? {},
      allowPositionals: true,
    });
    const [least, most] = [command.positionals].flat() as [number, number?];
    if (positionals.length < least || positionals.length > (most ?? least)) {
      const counts = ['no argument', 'one argument', 'two arguments'];
      const takes = most === undefined ? counts[least] : 'one argument at most';
      const hint =
        'config' in (command.options ?? {}) ? '; use --config FILE to name the configuration file' : '';
      return usageError(`"${name}" takes ${takes}, not ${positionals.length}${hint}`);
    }
    return await command.run(values, positionals, signals);
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
      return usageError(error.message);
    process.stderr.write(
      `fairlead: internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return EXIT.internal;
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.ok;
}
