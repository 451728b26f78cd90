#!/usr/bin/env node
// The command `fairlead`, in JavaScript that Node 20 understands.
//
// Fairlead runs on Node 24 or newer. A newer Node that runs this file goes on by itself; an older one hands over
// to the Node that the project brings as a development dependency. Where that one cannot take the place of this
// process (`process.execve`, Node 22.15), it runs as a child: signals are passed on, and this process ends as the
// child does. A service manager should run `node dist/main.js` itself: main process, descriptors and
// notifications are then the same process.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const EXIT_INTERNAL = 70; // EX_SOFTWARE of sysexits.h
const QUIET = '--disable-warning=ExperimentalWarning';
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

/** The source in a checkout, the compiled form in a package, which has no source. */
function entry() {
  const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  return existsSync(source) ? source : fileURLToPath(new URL('../dist/main.js', import.meta.url));
}

function ownNode() {
  const places = ['../node_modules/node/bin/node', '../../node/bin/node'];
  return places.map(place => fileURLToPath(new URL(place, import.meta.url))).find(file => existsSync(file));
}

function silenceExperimentalWarnings() {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    const [type] = rest;
    const name = warning instanceof Error ? warning.name : typeof type === 'object' ? type?.type : type;
    if (name !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest);
  };
}

function handOver(node, args) {
  if (typeof process.execve === 'function') {
    silenceExperimentalWarnings();
    process.execve(node, [node, ...args], process.env);
  }
  // In a group of its own: Ctrl-C reaches a whole group, and the child would hear it twice: a second SIGINT forces.
  const child = spawn(node, args, { stdio: 'inherit', detached: true });
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  child.on('error', error => fail(`cannot run ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? EXIT_INTERNAL);
    // Ends by the same signal, for the shell or the manager to see; should that not end it, by its number.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1_000);
  });
}

function fail(message) {
  process.stderr.write(`fairlead: ${message}\n`);
  process.exit(EXIT_INTERNAL);
}

/** Answered here: an old Node would start another one only to read the same file. */
function printVersion() {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  process.stdout.write(`fairlead ${JSON.parse(manifest).version}\n`);
}

if (['--version', '-v', '-V'].includes(process.argv[2])) printVersion();
else if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  process.on('SIGUSR1', () => {}); // src/main.ts knows what it means; until it is loaded it opens no debugger
  silenceExperimentalWarnings();
  const main = entry();
  process.argv[1] = main;
  await import(new URL(`file://${main}`).href);
} else {
  const node = ownNode();
  if (node === undefined) {
    fail(
      `needs Node ${NODE_MAJOR_MIN} or newer, this is ${process.versions.node}: ` +
        'install one, or run "npm ci" in a checkout, which brings one',
    );
  } else handOver(node, [QUIET, entry(), ...process.argv.slice(2)]);
}
