/** An explanation of a request as text for people. */
import { renderElsewhere } from './elsewhere.ts';
import type { Explanation } from './explanation.ts';
import { listText } from './name_list.ts';
import { LABEL_WIDTH, labelled, placeText, renderSettings } from './settings_text.ts';

export function renderExplanation(explained: Explanation): string {
  const { request, client, origins, listener } = explained;
  const asked = request.path.split('?')[0];
  const isMatchedAsTyped = request.matchPath === '' || request.matchPath === asked;
  const lines = [
    labelled(
      'request',
      `${request.method} ${request.host}${request.path}${isMatchedAsTyped ? '' : `  (matched as ${request.matchPath})`}`,
    ),
    labelled('listener', `${listener}  (${explained.listenerAddress}, ${placeText(origins.listener)})`),
    ...(explained.otherListeners.length === 0
      ? []
      : [
          labelled(
            '',
            `(the URL has no port; --listener NAME asks another one: ${listText(explained.otherListeners)})`,
          ),
        ]),
    labelled('client', `${client.ip}${client.from}`),
    ...routeLines(explained),
    ...actionLines(explained),
    ...explained.hints.map(hint => labelled('note', hint)),
    ...upstreamLines(explained),
    ...renderSettings([...explained.settings, ...explained.limits]),
  ];
  return `${lines.join('\n')}\n`;
}

function refusalText({ status, reason, detail, origin }: NonNullable<Explanation['refused']>): string {
  const place = origin === undefined ? '' : `  (${placeText(origin)})`;
  return `${status} ${reason}${detail === null ? '' : `: ${detail}`}${place}`;
}

function routeLines({ route, origins, nearer, refused, elsewhere, auth, ...rest }: Explanation): string[] {
  const refusal = refused === null ? '' : refusalText(refused);
  const lines = [
    labelled(
      'route',
      route === null
        ? refused === null
          ? 'none is needed'
          : `none: ${refusal}`
        : `${route}  (${placeText(origins.route ?? '')})`,
    ),
  ];
  for (const { route: other, reason } of nearer) lines.push(labelled('  not', `${other}: ${reason}`));
  if (elsewhere !== null)
    for (const [at, sentence] of renderElsewhere(elsewhere, rest.listener).entries())
      lines.push(labelled(at === 0 ? 'elsewhere' : '', sentence));
  if (route !== null && refused !== null) lines.push(labelled('refused', refusal));
  if (refused !== null) lines.push(labelled('see', `fairlead explain ${refused.reason}`));
  if (auth !== null)
    lines.push(labelled('login', `${auth.scheme}, realm "${auth.realm}"  (${placeText(auth.origin)})`));
  return lines;
}

function actionLines(explained: Explanation): string[] {
  const { action, targets, origins } = explained;
  if (action === null) return [];
  const place = `(${placeText(origins.action ?? '')})`;
  if (action.kind === 'health')
    return [labelled('action', `the proxy itself responds: 200 if it is ready, else 503  ${place}`)];
  if (action.kind === 'redirect')
    return [labelled('action', `redirect with ${action.status} to ${action.location}  ${place}`)];
  if (action.kind === 'respond') {
    const body = action.body === '' ? 'no body' : `a body of ${Buffer.byteLength(action.body)} bytes`;
    return [labelled('action', `the proxy itself responds with ${action.status} and ${body}  ${place}`)];
  }
  const [only, ...others] = targets;
  const to = others.length === 0 ? `cluster ${only?.cluster}` : `one of ${targets.length} clusters`;
  return [labelled('action', `forward to ${to}  ${place}`), ...targetLines(explained)];
}

function targetLines({ targets }: Explanation): string[] {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  return targets.map(({ cluster, weight, endpoints, endpointsTotal, protocol, origin }) => {
    const share = targets.length === 1 ? '' : `, ${Math.round((100 * weight) / total)} % of the requests`;
    const where = `${PROTOCOLS[protocol]} to ${listText(endpoints, endpoints.length, endpointsTotal)}`;
    return labelled('', `${cluster}${share}: ${where}  (${placeText(origin)})`);
  });
}

const PROTOCOLS = { http1: 'HTTP/1.1', http2: 'HTTP/2', h2c: 'HTTP/2 without TLS' } as const;

function upstreamLines({ upstream, request }: Explanation): string[] {
  if (upstream === null) return [];
  const { target, host, headers } = upstream;
  const indent = ' '.repeat(LABEL_WIDTH);
  const lines = [labelled('backend', `${request.method} ${target}`), `${indent}Host: ${host}`];
  for (let at = 0; at + 1 < headers.length; at += 2)
    lines.push(`${indent}${headers[at]}: ${headers[at + 1]}`);
  return lines;
}
