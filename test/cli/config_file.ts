/** A configuration in a file of its own, gone after the tests of the file that asked for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Config, configText } from '../support/plan_builder.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

export function configFile(name: string, config: Config): string {
  const path = join(folder, name);
  writeFileSync(path, configText(config));
  return path;
}

export const absentFile = join(folder, 'absent.yaml');
