/** Which configuration file a command means, and how it finds the running process. */
import type { AdminTarget } from './admin_client.ts';
import type { Option, Values } from './command.ts';

const SYSTEM_FILE = '/etc/fairlead/fairlead.yaml';

/** The order in which a command looks for its file, for help. */
export const CONFIG_ORDER = `--config FILE, then $FAIRLEAD_CONFIG, then ${SYSTEM_FILE}`;

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

/** An empty environment variable counts as unset. */
export function configFile(values: Values, env: Environment = process.env): string {
  return values.text('config') ?? (env['FAIRLEAD_CONFIG'] || SYSTEM_FILE);
}

export function adminTarget(values: Values, env: Environment = process.env): AdminTarget {
  return {
    file: configFile(values, env),
    address: values.text('admin') ?? (env['FAIRLEAD_ADMIN'] || null),
  };
}
