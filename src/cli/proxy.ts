/** `fairlead proxy`: the proxy from options alone. The configuration is written, loaded and run as a file would be. */
import { loadConfigText } from '../config/loader.ts';
import { formatMessage, type Problem } from '../config/problems.ts';
import type { Signals } from '../lifecycle/signals.ts';
import { EXIT } from './exit_codes.ts';
import { optionOf, type ProxyOptions, proxyConfigText } from './proxy_config.ts';
import { serve } from './run.ts';

/** Paths in the options are relative to the working directory, as those of a file there would be. */
const FILE = 'fairlead.yaml';
const NO_FILE =
  'there is no configuration file to reload: this process runs with the options of fairlead proxy. Restart it with ' +
  'other options, or write a file with --print and use fairlead run';

/** What the message about a file calls for, and which options do that. */
const IN_OPTIONS: readonly (readonly [line: RegExp, words: string])[] = [
  [/write each as its own item of the list$/, 'write a --to for each'],
  [/tls: \{ certFile: FILE, keyFile: FILE \} in the listener/, '--cert FILE and --key FILE'],
  [
    /add admin\.token, or listen on 127\.0\.0\.1 or a Unix socket$/,
    'use 127.0.0.1:PORT or unix:PATH, or a file with admin.token',
  ],
];

/** Throws `UsageError`. */
export async function runProxyCommand(
  options: ProxyOptions,
  print: boolean,
  signals: Signals,
): Promise<number> {
  const text = proxyConfigText(options);
  // No state of any file: a file of this name in the working directory is not the one that runs.
  const loaded = loadConfigText(text, FILE, process.env, new Map());
  if (loaded.kind !== 'loaded') {
    const problems = loaded.kind === 'invalid' ? loaded.problems : [];
    for (const problem of problems) process.stderr.write(`fairlead: ${describe(problem, options)}\n`);
    return EXIT.usage;
  }
  for (const problem of loaded.warnings)
    process.stderr.write(`fairlead: warning: ${describe(problem, options)}\n`);
  if (print) {
    process.stdout.write(text);
    return EXIT.ok;
  }
  return serve({ file: FILE, loaded, withoutFile: NO_FILE }, signals, addresses =>
    process.stderr.write(banner(options, [...addresses.values()])),
  );
}

function describe(problem: Problem, options: ProxyOptions): string {
  const option = optionOf(problem, options);
  if (option === null) return formatMessage(problem);
  const message = formatMessage(problem).replace(/^(?:admin|listeners|clusters)\.\S*: /, '');
  return `${option}: ${IN_OPTIONS.reduce((text, [line, words]) => text.replace(line, words), message)}`;
}

function banner({ to, cert, admin }: ProxyOptions, addresses: readonly string[]): string {
  const scheme = cert === null ? 'http' : 'https';
  const urls = addresses.map(address => (address.startsWith('unix:') ? address : `${scheme}://${address}`));
  const page =
    admin === 'off' ? 'add --admin 127.0.0.1:9901 for a status page' : `status page http://${admin}/`;
  return `fairlead: ${urls.join(', ')} -> ${to.join(', ')}; ${page}; Ctrl-C drains and stops\n`;
}
