/**
 * `/reasons` and `/reasons/REASON`: what each failure reason means, how to find its cause and what to change. HTML for
 * browsers, text for terminals. The same for every process, so nothing of the running one is shown.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FAILURE_RULES, type FailureKind } from '../resilience/failure.ts';
import { Html, html } from './html.ts';
import { reasonLink } from './reason_link.ts';
import { allReasons, type Reason, reasonList, reasonNamed, renderReason, unknownReason } from './reasons.ts';
import { sendPage } from './reply.ts';

export function reasonPages(app: FastifyInstance): void {
  app.get('/reasons', async (request, reply) =>
    wantsHtml(request)
      ? sendPage(reply, page('Reasons', listOfReasons()), '')
      : sendText(reply, `Reasons, each explained at /reasons/REASON:\n${reasonList()}\n`),
  );
  app.get('/reasons/:reason', async (request, reply) => {
    const { reason: name } = request.params as { reason: string };
    const found = reasonNamed(name);
    if (found === null) return unknownPage(request, reply.status(404), name);
    return wantsHtml(request)
      ? sendPage(reply, page(found.reason, reasonBody(found)), '')
      : sendText(reply, renderReason(found));
  });
}

function unknownPage(request: FastifyRequest, reply: FastifyReply, name: string): FastifyReply {
  const problem = unknownReason(name);
  return wantsHtml(request)
    ? sendPage(reply, page('Unknown reason', html`<p>${problem}</p>${listOfReasons()}`), '')
    : sendText(reply, `${problem}; reasons:\n${reasonList()}\n`);
}

function wantsHtml({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') === true;
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/plain; charset=utf-8').send(text);
}

function page(title: string, body: Html): string {
  return html`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${title} – Fairlead</title><p><a href="/">Status</a> · <a href="/reasons">All reasons</a></p><h1>${title}</h1>${body}</html>`
    .text;
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
