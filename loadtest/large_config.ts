/** A configuration of any size: routes spread over hosts and clusters, whose endpoints nobody needs to serve. */

export interface LargeConfig {
  readonly routes: number;
  readonly endpoints: number;
  readonly port: number;
  /** Null: no admin API. */
  readonly adminPort: number | null;
  /** Part of the answer of `/plain` and of a few routes: another number is another plan. */
  readonly edit: number;
}

const HOSTS = 1_000;
const ENDPOINTS_PER_CLUSTER = 10;
/** Routes whose path an edit changes. */
const EDITED_ROUTES = 10;

/** YAML. `GET /plain` on any host is answered by the proxy itself with `edit N`. */
export function largeConfig({ routes, endpoints, port, adminPort, edit }: LargeConfig): string {
  const clusters = Math.ceil(endpoints / ENDPOINTS_PER_CLUSTER);
  const lines = [
    'version: 1',
    `admin: ${adminPort === null ? 'off' : `{ address: 127.0.0.1:${adminPort} }`}`,
    'process: { reload: { watch: false }, overload: { eventLoopDelay: off } }',
    'logging: { access: off }',
    `listeners: { main: { address: 127.0.0.1:${port} } }`,
    'routes:',
    '  - name: plain',
    '    match: { path: { exact: /plain } }',
    `    respond: { status: 200, body: edit ${edit} }`,
  ];
  for (let number = 1; number < routes; number++) {
    const path = number <= EDITED_ROUTES ? `/path${number}/edit${edit}` : `/path${number}`;
    lines.push(
      `  - name: route${number}`,
      `    match: { hosts: [host${number % HOSTS}.example.com], path: { prefix: ${path} } }`,
      `    forward: { cluster: cluster${number % clusters} }`,
    );
  }
  lines.push('clusters:');
  for (let cluster = 0; cluster < clusters; cluster++) {
    const list = Array.from(
      { length: ENDPOINTS_PER_CLUSTER },
      (_, at) => `"127.0.${cluster % 250}.${at + 1}:${20_000 + cluster}"`,
    );
    lines.push(`  cluster${cluster}: { endpoints: [${list.join(', ')}], health: { active: off } }`);
  }
  return `${lines.join('\n')}\n`;
}
