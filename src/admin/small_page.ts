/** The frame of a page of the admin API that is not the status page: the same style, and the way back. */
import { Html, html } from './html.ts';
import { STYLE } from './status_page_style.ts';

/** `nonce` allows the style of the page. */
export function smallPage(title: string, content: Html, nonce: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Fairlead</title>
<style nonce="${nonce}">${new Html(STYLE)}</style>
</head>
<body>
<header><h1><a href="/">Fairlead</a> <b>${title}</b></h1></header>
<main>${content}</main>
</body>
</html>
`.text;
}
