/**
 * Words of nginx, Caddy, Traefik and HAProxy, and what they are here: for keys that the schema does not know. One table; the
 * first row that has the word holds.
 */
import type { Path } from '../text/path.ts';
import {
  addressLine,
  endpointsLine,
  forwardLine,
  healthLine,
  hostsLine,
  listenText,
  pathText,
  portOf,
  requestTimeoutLine,
  returnLine,
  ruleLine,
} from './foreign_lines.ts';

type Section = 'top' | 'listeners' | 'tls' | 'routes' | 'clusters' | 'endpoints';

interface Row {
  /** In lower case, without `_` and `-`, separated by spaces. */
  readonly words: string;
  /** Anywhere when absent. */
  readonly in?: readonly Section[];
  /** What to write instead: a line, or a function of the value that was written. */
  readonly is?: string | ((value: unknown) => string);
  /** Instead of `is`: a sentence, where nothing is to be written. */
  readonly note?: string;
  /** Keys beside it that are accounted for by it, and so not missing. */
  readonly meant?: readonly string[];
}

interface ForeignWord {
  readonly hint: string;
  readonly meant: readonly string[];
}

const NO_FILES = 'Fairlead serves no files; forward to a server that does';
const NO_ACME =
  'Fairlead does not obtain certificates; write tls: { certFile: FILE, keyFile: FILE }, and let a client such as certbot renew the files';
const NO_COMPRESSION = 'Fairlead does not compress; compress in the backend';
const BY_ITSELF = 'nothing needs to be set for it in Fairlead';
const PLURAL_ACTIONS = ['forward', 'redirect', 'respond'];

const ROWS: readonly Row[] = [
  // Where requests go.
  {
    words:
      'proxypass reverseproxy proxyto upstream upstreams backend service usebackend defaultbackend target dial url to servers',
    in: ['routes'],
    is: forwardLine,
    meant: ['forward'],
  },
  {
    words:
      'servers server hosts host addresses address targets target nodes to backends upstreams dial url loadbalancer proxypass reverseproxy',
    in: ['clusters'],
    is: endpointsLine,
    meant: ['endpoints'],
  },
  {
    words: 'url host server dial target uri hostname to',
    in: ['endpoints'],
    is: addressLine,
    meant: ['address'],
  },
  { words: 'port', in: ['endpoints'], is: value => `address: HOST:${portOf(value)}`, meant: ['address'] },
  { words: 'backup', in: ['endpoints'], is: 'tier: 1' },
  { words: 'down disabled', in: ['endpoints'], is: 'weight: 0' },
  {
    words: 'upstream upstreams backend backends service services pool pools cluster',
    in: ['top'],
    is: 'clusters: { NAME: { endpoints: [HOST:PORT] } }',
    meant: ['clusters'],
  },
  {
    words: 'reverseproxy proxypass proxy',
    in: ['top'],
    is: 'routes: [{ name: NAME, forward: CLUSTER }], with clusters: { CLUSTER: { endpoints: [HOST:PORT] } }',
    meant: ['routes', 'clusters'],
  },
  // Ports.
  {
    words: 'bind listen port addr hostport socket ip',
    in: ['listeners'],
    is: value => `address: ${listenText(value)}`,
    meant: ['address'],
  },
  {
    words: 'server servers frontend frontends entrypoint entrypoints listener listen bind port address ports',
    in: ['top'],
    is: value => `listeners: { NAME: { address: ${listenText(value)} } }`,
    meant: ['listeners'],
  },
  { words: 'entrypoint entrypoints listen bind', in: ['routes'], is: 'listeners: [NAME]' },
  {
    words: 'http https apps stream tcp',
    in: ['top'],
    is: 'listeners, routes and clusters, each at the top level',
    meant: ['listeners', 'routes', 'clusters'],
  },
  // Which requests.
  { words: 'rule rules matcher matchrule when if acl', in: ['routes'], is: ruleLine, meant: ['match'] },
  {
    words: 'location locations path paths pathprefix uri handle handlepath',
    in: ['routes'],
    is: value => `match: { path: { prefix: ${pathText(value)} } }`,
    meant: ['match'],
  },
  {
    words: 'servername servernames domain domains hostname hostnames vhost virtualhost site host',
    in: ['routes'],
    is: hostsLine,
  },
  {
    words: 'servername servernames domain domains hostname hostnames hosts host',
    in: ['listeners'],
    is: 'match: { hosts: [NAME] } of a route',
  },
  {
    words:
      'router routers route location locations rules virtualhost virtualhosts vhosts ingress sites paths',
    in: ['top', 'listeners'],
    is: 'routes: [{ name: NAME, match: { path: { prefix: /PATH } }, forward: CLUSTER }] at the top level',
    meant: ['routes'],
  },
  {
    words: 'priority order weight',
    in: ['routes'],
    note: 'the most specific route matches; there is no order',
  },
  {
    words: 'middleware middlewares filter filters plugins handler handlers',
    note: 'Fairlead has no middlewares; headers, rewrite, rateLimits, access, basicAuth and retries are keys of a route',
  },
  // Redirects and responses.
  {
    words: 'return redir redirectregex redirectscheme redirectto httprequest',
    in: ['routes'],
    is: returnLine,
    meant: PLURAL_ACTIONS,
  },
  {
    words: 'respond return redirect redir rewrite forward match retries headers ratelimits basicauth',
    in: ['listeners', 'clusters', 'top'],
    note: 'it belongs in a route',
  },
  { words: 'timeouts limits access', in: ['top'], note: 'it belongs in a listener or in a route' },
  {
    words: 'health pool endpoints loadbalancing',
    in: ['top', 'listeners', 'routes'],
    note: 'it belongs in a cluster',
  },
  {
    words: 'errorpage handleerrors errors',
    note: 'Fairlead passes error responses of backends on; its own have a fixed form',
  },
  {
    words: 'root fileserver tryfiles static staticfiles index alias phpfastcgi fastcgipass autoindex',
    note: NO_FILES,
    meant: PLURAL_ACTIONS,
  },
  // Headers.
  {
    words: 'proxysetheader setheader requestheader headerup customrequestheaders requestheaders',
    is: `headers: { request: { set: { NAME: VALUE } } } of a route`,
  },
  {
    words: 'addheader responseheader headerdown customresponseheaders responseheaders header',
    is: `headers: { response: { set: { NAME: VALUE } } } of a route`,
  },
  { words: 'proxyhideheader', is: 'headers: { response: { remove: [NAME] } } of a route' },
  { words: 'passhostheader preservehost', note: 'Host is kept unless a route has rewrite: { host: NAME }' },
  {
    words: 'setrealipfrom realipheader forwardedheaders trustproxy trustproxies',
    is: 'trustedProxies: [NETWORK] of a listener',
  },
  // Rewriting.
  {
    words: 'stripprefixes replacepathregex replacepath pathrewrite uriprefix',
    in: ['routes'],
    is: 'rewrite: { stripPrefix: /PATH }, or its regex: { pattern: REGEX, with: TEXT }',
  },
  // TLS.
  { words: 'certresolver', in: ['tls'], note: NO_ACME, meant: ['certificates'] },
  {
    words:
      'certresolver certificatesresolvers certificateresolvers acme letsencrypt autohttps autocert email',
    note: NO_ACME,
  },
  {
    words: 'cert certificate certfile sslcertificate crt pem',
    in: ['tls'],
    is: 'certFile: FILE',
    meant: ['certificates'],
  },
  {
    words: 'key privatekey keyfile sslcertificatekey',
    in: ['tls'],
    is: 'keyFile: FILE',
    meant: ['certificates'],
  },
  {
    words: 'ssl https cert certs certificate certificates crt key sslcertificate sslcertificatekey',
    in: ['listeners'],
    is: 'tls: { certFile: FILE, keyFile: FILE }',
  },
  { words: 'sslprotocols minversion tlsversion', in: ['listeners'], is: 'tls: { minVersion: TLSv1.2 }' },
  { words: 'sslciphers ciphersuites', in: ['listeners', 'tls'], is: 'tls: { ciphers: [NAME] }' },
  {
    words: 'sslverifyclient sslclientcertificate clientauth clientca mtls',
    in: ['listeners', 'tls'],
    is: 'tls: { clientCertificate: { mode: required, caFile: FILE } }',
  },
  {
    words: 'ssl https scheme proxysslverify serverstransport transport insecureskipverify',
    in: ['clusters'],
    is: 'tls: {}',
  },
  {
    words: 'tls ssl https',
    in: ['routes', 'top', 'endpoints'],
    note: 'TLS belongs to a listener, as tls: { certFile: FILE, keyFile: FILE }, or to a cluster, as tls: {}',
  },
  // Balancing, health, connections.
  {
    words: 'balance lbpolicy policy algorithm leastconn roundrobin iphash random lb strategy',
    in: ['clusters'],
    is: 'loadBalancing: { policy: leastRequests }, roundRobin or random',
  },
  {
    words: 'loadbalancer weighted wrr',
    in: ['routes'],
    is: 'forward: { split: [{ cluster: NAME, weight: 1 }] }',
    meant: ['forward'],
  },
  {
    words: 'sticky cookie hash hashkey session affinity',
    in: ['clusters'],
    note: 'Fairlead does not support sticky sessions yet',
  },
  {
    words: 'healthcheck healthchecks check healthuri httpcheck healthpath probe',
    in: ['clusters'],
    is: healthLine,
  },
  {
    words: 'healthcheck healthchecks health healthuri',
    in: ['routes', 'endpoints'],
    note: 'health checks belong to a cluster, as health: { active: { path: /PATH } }',
  },
  { words: 'healthinterval', in: ['clusters'], is: 'health: { active: { path: /PATH, interval: 5s } }' },
  {
    words: 'maxfails failtimeout failduration outlierdetection',
    is: 'health: { passive: { consecutiveFailures: 5, ejectFor: 30s } } of a cluster',
  },
  {
    words: 'maxconn maxconns maxconnections keepalive',
    in: ['clusters'],
    is: value => `pool: { connections: ${typeof value === 'number' ? value : 128} }`,
  },
  {
    words: 'maxconn maxconnections limitconn',
    in: ['listeners'],
    is: 'limits: { connections: 10000, connectionsPerIp: 256 }',
  },
  // Limits and access.
  {
    words: 'clientmaxbodysize maxbodysize requestbody bodylimit maxrequestbodybytes',
    is: 'limits: { bodyBytes: 10MiB } of a route or a listener',
  },
  {
    words: 'limitreq limitreqzone ratelimit ratelimiting throttle',
    is: 'rateLimits: [{ key: clientIp, rate: 100/s }] of a route',
  },
  {
    words: 'ipallowlist ipwhitelist whitelist allowlist remoteip',
    in: ['routes', 'listeners'],
    is: 'access: { allow: [NETWORK] }',
  },
  {
    words: 'ipdenylist blacklist blocklist denylist',
    in: ['routes', 'listeners'],
    is: 'access: { deny: [NETWORK] }',
  },
  { words: 'authbasic authbasicuserfile htpasswd auth', in: ['routes'], is: 'basicAuth: { file: FILE }' },
  // Times and retries.
  {
    words: 'retry proxynextupstream tries lbtryduration',
    in: ['routes'],
    is: value => `retries: { attempts: ${Number(value) > 0 ? Number(value) : 2} }`,
  },
  {
    words: 'retry retries attempts proxynextupstream lbretries',
    in: ['clusters', 'listeners', 'top'],
    is: 'retries: { attempts: 2 } of a route',
  },
  {
    words: 'proxyreadtimeout proxysendtimeout readtimeout responsetimeout',
    in: ['routes'],
    is: 'timeouts: { responseHead: 30s, responseIdle: 60s }',
  },
  {
    words: 'proxyconnecttimeout dialtimeout connecttimeout timeoutconnect',
    is: 'pool: { connectTimeout: 3s } of a cluster',
  },
  {
    words: 'timeout deadline requesttimeout',
    in: ['routes', 'listeners'],
    is: requestTimeoutLine,
  },
  {
    words: 'timeout timeouts readtimeout proxyreadtimeout responsetimeout',
    in: ['clusters'],
    is: 'pool: { connectTimeout: 3s }, or timeouts of a route',
  },
  { words: 'keepalivetimeout idletimeout', in: ['listeners'], is: 'timeouts: { keepAliveIdle: 75s }' },
  { words: 'clientheadertimeout readheadertimeout', in: ['listeners'], is: 'timeouts: { head: 10s }' },
  {
    words: 'clientbodytimeout sendtimeout readtimeout writetimeout',
    in: ['listeners'],
    is: 'timeouts: { bodyIdle: 30s }',
  },
  // What runs by itself, or is elsewhere.
  {
    words: 'websocket websockets proxyhttpversion upgrade',
    in: ['routes', 'listeners', 'clusters'],
    note: `WebSocket: ${BY_ITSELF}`,
  },
  {
    words: 'proxybuffering proxyrequestbuffering buffering flushinterval',
    note: `nothing is buffered: ${BY_ITSELF}`,
  },
  { words: 'gzip brotli encode compression', note: NO_COMPRESSION },
  { words: 'cache proxycache', note: 'Fairlead does not cache; put a cache before or behind it' },
  { words: 'accesslog errorlog log logs loglevel', is: 'logging: { level: info } at the top level' },
  {
    words: 'api dashboard stats ping metrics prometheus status',
    in: ['top'],
    is: 'admin: { address: 127.0.0.1:9901 }',
  },
  {
    words: 'global daemon user events workerprocesses workerconnections workers',
    in: ['top'],
    note: 'Fairlead is one process, run by a service manager; its limits are in process',
  },
  {
    words: 'include import imports providers extends',
    note: 'Fairlead reads one file; generate it if it has parts',
  },
];

const ROWS_OF_WORD = new Map<string, Row[]>();
for (const row of ROWS)
  for (const word of row.words.split(' ')) ROWS_OF_WORD.set(word, [...(ROWS_OF_WORD.get(word) ?? []), row]);

/** What a key means in another proxy; null if it is no word of one. `key` is written in the mapping at `path`. */
export function foreignWord(key: string, path: Path, value: unknown): ForeignWord | null {
  const section = sectionOf(path);
  const row = ROWS_OF_WORD.get(plainWord(key))?.find(
    ({ in: sections }) => sections?.includes(section) ?? true,
  );
  if (row === undefined) return null;
  const { is, note = '', meant = [] } = row;
  if (is === undefined) return { hint: note, meant };
  return { hint: `in Fairlead this is ${typeof is === 'string' ? is : is(value)}`, meant };
}

/** A word without its case and its separators: `trusted_proxies`, `trusted-proxies` and `trustedProxies` are one. */
export function plainWord(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '');
}

function sectionOf(path: Path): Section {
  const [first] = path;
  if (first === 'listeners') return path.includes('tls') ? 'tls' : 'listeners';
  if (first === 'clusters') return path[2] === 'endpoints' ? 'endpoints' : 'clusters';
  return first === 'routes' ? 'routes' : 'top';
}
