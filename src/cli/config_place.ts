/** Which configuration file a command means, and how it finds the running process. */
import { existsSync } from 'node:fs';
import type { AdminTarget } from './admin_client.ts';
import type { Option, Values } from './command.ts';

/** In the working directory; `fairlead init` writes it. */
export const WORKING_FILE = 'fairlead.yaml';
const SYSTEM_FILE = '/etc/fairlead/fairlead.yaml';

/** The order in which a command looks for its file, for help. */
export const CONFIG_ORDER = `--config FILE, then $FAIRLEAD_CONFIG, then ./${WORKING_FILE}, then ${SYSTEM_FILE}`;

export const CONFIG_OPTION: Option = {
  name: 'config',
  short: 'c',
  value: 'FILE',
  complete: 'file',
  description: `Configuration file; the order: ${CONFIG_ORDER}`,
};

/** Options of commands that talk to the running process. */
export const ADMIN_OPTIONS: readonly Option[] = [
  CONFIG_OPTION,
  {
    name: 'admin',
    value: 'ADDRESS',
    description:
      'Admin address of the running process; default: $FAIRLEAD_ADMIN (with $FAIRLEAD_ADMIN_TOKEN), ' +
      'then admin.address of the configuration file',
  },
];

type Environment = Readonly<Record<string, string | undefined>>;

/** No file was named, and none is where they are looked for. */
export class NoConfigFile extends Error {
  constructor() {
    super(
      `no configuration file: neither ./${WORKING_FILE} nor ${SYSTEM_FILE} exists. Write one with "fairlead init", name ` +
        'one with --config FILE or $FAIRLEAD_CONFIG, or use none with "fairlead proxy --to HOST:PORT"',
    );
  }
}

/** An empty environment variable counts as unset. A file that is named need not exist. Throws `NoConfigFile`. */
export function configFile(values: Values, env: Environment = process.env, exists = existsSync): string {
  const named = values.text('config') ?? env['FAIRLEAD_CONFIG'];
  if (named) return named;
  const found = [WORKING_FILE, SYSTEM_FILE].find(file => exists(file));
  if (found === undefined) throw new NoConfigFile();
  return found;
}

/** With an admin address no file is read, and none need exist. */
export function adminTarget(values: Values, env: Environment = process.env): AdminTarget {
  const address = values.text('admin') ?? (env['FAIRLEAD_ADMIN'] || null);
  return { address, file: address === null ? configFile(values, env) : '' };
}
