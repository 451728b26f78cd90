/** Names of the commands that serve: the entry holds their signals before it loads anything else. */
const SERVING_COMMANDS: ReadonlySet<string> = new Set(['run', 'proxy', 'demo']);

export function isServing(name: string | undefined): boolean {
  return name !== undefined && SERVING_COMMANDS.has(name);
}
