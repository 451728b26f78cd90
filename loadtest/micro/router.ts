/**
 * Time per match with 10, 1,000 and 10,000 routes, ours and find-my-way's on the same routes and requests.
 *
 *   node loadtest/micro/router.ts [rounds]
 *
 * Half of the routes are static, a quarter each has one and two parameters. Names are padded, so that the paths are
 * equally long with few and with many routes, and only the number of routes differs. `*.host` is the same behind a
 * wildcard. Both routers run in one process and take turns, round by round, so that a change of the machine's speed
 * meets both; figures are medians. find-my-way's `find` also collects the parameters; ours does not need to.
 * Target: 10,000 routes cost at most twice as much as 10.
 */
import findMyWay from 'find-my-way';
import type { PathMatch, RoutableRequest, RouteMatch } from '../../src/routing/route.ts';
import { buildRouter } from '../../src/routing/router.ts';
import { seededRandom } from '../../test/support/seeded_random.ts';

const MATCHES_PER_ROUND = 100_000;
const REQUESTS = 4_096; // a power of two: the next one is a mask away
const ROUNDS = Number(process.argv[2] ?? 25);
const SEED = 7;

interface Contender {
  readonly name: string;
  readonly run: () => number;
  readonly nanoseconds: number[];
}

const random = seededRandom(SEED);
const below = (limit: number) => Math.floor(random.unit() * limit);

/** As an API grows: areas, services in them, resources in these; numbers padded, so that only their count changes. */
function routePaths(count: number): PathMatch[] {
  return Array.from({ length: count }, (_, at): PathMatch => {
    const padded = (number: number, digits: number) => String(number).padStart(digits, '0');
    const base = `/area${at % 10}/service${padded(Math.floor(at / 10) % 100, 2)}/resource${padded(at, 4)}`;
    if (at % 4 === 1) return { kind: 'template', value: `${base}/{id}` };
    if (at % 4 === 3) return { kind: 'template', value: `${base}/{id}/items/{item}` };
    return { kind: 'exact', value: base };
  });
}

function requestPath({ value }: PathMatch): string {
  return value.replace(/\{\w+\}/g, () => String(below(1_000_000)));
}

function requestOf(host: string, matchPath: string): RoutableRequest {
  const headers = ['Host', host, 'User-Agent', 'bench', 'Accept', '*/*'];
  return { method: 'GET', matchHost: host, matchPath, query: '', headers, authority: host };
}

function contendersFor(count: number): Contender[] {
  const paths = routePaths(count);
  const requested = Array.from({ length: REQUESTS }, () => below(count));
  const requests = requested.map(at => requestOf('a.example.com', requestPath(paths[at] as PathMatch)));
  const withHost = (hosts: string[]) => (path: PathMatch) => ({
    match: { hosts, path, methods: [], headers: [], query: [] } satisfies RouteMatch,
    value: path.value,
  });
  const ours = buildRouter(paths.map(withHost([])));
  const behindWildcard = buildRouter(paths.map(withHost(['*.example.com'])));
  const theirs = findMyWay({ caseSensitive: true });
  for (const { value } of paths) {
    theirs.on('GET', value.replace(/\{(\w+)\}/g, ':$1'), () => value, { value });
  }
  for (const [at, request] of requests.entries()) {
    const expected = paths[requested[at] as number]?.value;
    const found = theirs.find('GET', request.matchPath)?.store as { value: string } | undefined;
    if (
      ours.match(request) !== expected ||
      behindWildcard.match(request) !== expected ||
      found?.value !== expected
    ) {
      throw new Error(`not the same route for ${request.matchPath}`);
    }
  }
  const loop = (match: (request: RoutableRequest) => unknown) => () => {
    const from = process.hrtime.bigint();
    let hits = 0;
    for (let at = 0; at < MATCHES_PER_ROUND; at++) {
      if (match(requests[at & (REQUESTS - 1)] as RoutableRequest) !== null) hits++;
    }
    const elapsed = Number(process.hrtime.bigint() - from);
    if (hits !== MATCHES_PER_ROUND) throw new Error('a request found no route');
    return elapsed / MATCHES_PER_ROUND;
  };
  return [
    { name: `fairlead ${count}`, run: loop(request => ours.match(request)), nanoseconds: [] },
    {
      name: `fairlead *.host ${count}`,
      run: loop(request => behindWildcard.match(request)),
      nanoseconds: [],
    },
    {
      name: `find-my-way ${count}`,
      run: loop(request => theirs.find('GET', request.matchPath)),
      nanoseconds: [],
    },
  ];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const COUNTS = [10, 1_000, 10_000];
const contenders = COUNTS.flatMap(contendersFor);
for (let round = -3; round < ROUNDS; round++) {
  for (const { run, nanoseconds } of contenders) {
    const result = run();
    if (round >= 0) nanoseconds.push(result); // the first rounds warm the compiler up
  }
}

const byName = new Map(contenders.map(({ name, nanoseconds }) => [name, median(nanoseconds)]));
console.log(
  `ns per match, median of ${ROUNDS} rounds of ${MATCHES_PER_ROUND}; node ${process.version}, seed ${SEED}`,
);
console.log('routes                    10      1,000     10,000   10,000 / 10');
for (const router of ['fairlead', 'fairlead *.host', 'find-my-way']) {
  const figures = COUNTS.map(count => byName.get(`${router} ${count}`) ?? Number.NaN);
  const ratio = (figures[2] ?? Number.NaN) / (figures[0] ?? Number.NaN);
  const cells = figures.map(figure => figure.toFixed(1).padStart(10)).join(' ');
  console.log(`${router.padEnd(17)} ${cells} ${ratio.toFixed(2).padStart(13)}`);
}
