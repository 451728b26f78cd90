/**
 * `/reasons` and `/reasons/REASON`: what each failure reason means, how to find its cause and what to change. HTML for
 * browsers, text for terminals. The same for every process, so nothing of the running one is shown.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FAILURE_RULES, type FailureKind } from '../resilience/failure.ts';
import { Html, html } from './html.ts';
import { reasonLink } from './reason_link.ts';
import { allReasons, type Reason, reasonList, reasonNamed, renderReason, unknownReason } from './reasons.ts';
import { createNonce, sendPage } from './reply.ts';
import { smallPage } from './small_page.ts';

export function reasonPages(app: FastifyInstance): void {
  app.get('/reasons', async (request, reply) =>
    wantsHtml(request)
      ? page(reply, 'reasons', html`<h2>Reasons</h2>${listOfReasons()}`)
      : sendText(reply, `Reasons, each explained at /reasons/REASON:\n${reasonList()}\n`),
  );
  app.get('/reasons/:reason', async (request, reply) => {
    const { reason: name } = request.params as { reason: string };
    const found = reasonNamed(name);
    if (found === null) return unknownPage(request, reply.status(404), name);
    return wantsHtml(request)
      ? page(reply, found.reason, reasonBody(found))
      : sendText(reply, renderReason(found));
  });
}

function unknownPage(request: FastifyRequest, reply: FastifyReply, name: string): FastifyReply {
  const problem = unknownReason(name);
  return wantsHtml(request)
    ? page(reply, 'unknown reason', html`<p>${problem}</p>${listOfReasons()}`)
    : sendText(reply, `${problem}; reasons:\n${reasonList()}\n`);
}

function wantsHtml({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') === true;
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/plain; charset=utf-8').send(text);
}

function page(reply: FastifyReply, title: string, body: Html): FastifyReply {
  const nonce = createNonce();
  const content = html`<p class="about"><a href="/reasons">All reasons</a></p><article>${body}</article>`;
  return sendPage(reply, smallPage(title, content, nonce), nonce);
}

function listOfReasons(): Html {
  const items = allReasons().map(
    ({ reason }) =>
      html`<li><a href="${reasonLink(reason)}"><code>${reason}</code></a>: ${FAILURE_RULES[reason as FailureKind]?.title ?? ''}</li>`,
  );
  return html`<ul>${items}</ul>`;
}

function reasonBody({ reason, facts, means, findTheCause, change }: Reason): Html {
  return html`<p>${marked(facts)}</p><h2>What it means</h2><p>${marked(means)}</p><h2>How to find the cause</h2><p>${marked(findTheCause)}</p><p>Recent requests with this reason: <a href="/requests?reason=${reason}">/requests?reason=${reason}</a></p><h2>What to change</h2><p>${marked(change)}</p>`;
}

/** `key` in backticks becomes code. */
function marked(text: string): Html {
  const parts = text
    .split('`')
    .map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
  return new Html(parts.map(part => part.text).join(''));
}
