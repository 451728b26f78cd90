/** `fairlead init`: writes a commented configuration file to begin with. */
import { writeFileSync } from 'node:fs';
import { errorCode } from '../resilience/error_code.ts';
import { WORKING_FILE } from './config_place.ts';
import { EXIT } from './exit_codes.ts';

/** Valid as it stands, without a warning. */
export const STARTER = `# Fairlead. Every key: docs/configuration.md. Every value in force: fairlead plan --origins
# Completion in an editor: run "fairlead schema > fairlead.schema.json", then begin this file with
#   # yaml-language-server: $schema=fairlead.schema.json
version: 1

# Status page http://127.0.0.1:9901/, metrics, and what fairlead status asks. "admin: off" for none.
admin: { address: 127.0.0.1:9901 }

listeners:
  web:
    address: ":8080"                        # every address of this machine; 127.0.0.1:8080 for this machine only
    # tls: { certificates: [{ certFile: site.crt, keyFile: site.key }] }
    # trustedProxies: [10.0.0.0/8]          # whose X-Forwarded-For is believed

routes:                                     # the most specific one wins, in whatever order they stand
  - name: site
    match: { path: { prefix: / } }          # also: hosts: [www.example.com], methods: [GET]
    forward: { cluster: app }
    retries: { attempts: 2, on: [connect, reset] }
    # timeouts: { responseHead: 30s }
  # - name: api
  #   match: { path: { prefix: /api } }
  #   forward: { cluster: app }
  #   rewrite: { stripPrefix: /api }
  #   rateLimits: [{ key: clientIp, rate: 100/s, burst: 200 }]

clusters:
  app:
    endpoints: ["127.0.0.1:3000"]           # several share the load
    # tls: {}                               # for backends with https
    health:
      active: { tcp: true }                 # or a path that responds with 200: { path: /healthz }
      passive: { consecutiveFailures: 5, ejectFor: 10s }
`;

export function runInit(file: string, force: boolean): number {
  try {
    writeFileSync(file, STARTER, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const exists = errorCode(error) === 'EEXIST';
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `fairlead: ${exists ? `${file} exists already; --force overwrites it` : `cannot write ${file}: ${why}`}\n`,
    );
    return EXIT.cannotCreate;
  }
  const option = file === WORKING_FILE ? '' : ` --config ${file}`;
  process.stdout.write(
    `wrote ${file}; set the address of your backend in it, then:\n  fairlead check${option}\n  fairlead run${option}\n`,
  );
  return EXIT.ok;
}
