/** Which files a command loads: every module, the proxy's own and those of packages, by its path in the project. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../support/proxy_under_test.ts';

/** Notes each file that is loaded, and at the end the modules of Node. */
const REPORT = `
import { registerHooks } from 'node:module';
import { writeFileSync } from 'node:fs';
const loaded = [];
registerHooks({ load(url, context, next) {
  loaded.push(url);
  return next(url, context);
} });
process.on('exit', () => writeFileSync(process.env.REPORT_FILE, [...loaded, ...process.moduleLoadList].join('\\n')));`;

/** A command that serves is ended by SIGTERM when its log says that it has started. */
export async function loadedBy(words: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-loaded-'));
  const report = join(folder, 'report');
  const preload = `data:text/javascript,${encodeURIComponent(REPORT)}`;
  const args = ['--disable-warning=ExperimentalWarning', '--import', preload, join(ROOT, 'src/main.ts')];
  const child = spawn(process.execPath, [...args, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, REPORT_FILE: report },
  });
  createInterface(child.stdout).on('line', line => {
    if (line.includes('"event":"started"')) child.kill('SIGTERM');
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}`);
  const root = `file://${ROOT.replace(/\/?$/, '/')}`;
  const loaded = readFileSync(report, 'utf8').split('\n');
  rmSync(folder, { recursive: true });
  return loaded.map(name => (name.startsWith(root) ? name.slice(root.length) : name));
}
