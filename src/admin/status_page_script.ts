/**
 * The script of the status page: replaces the content without moving the focus or a selection, and announces changes
 * to screen readers.
 */
export const SCRIPT = `
(() => {
  const live = document.getElementById('live');
  const news = document.getElementById('news');
  const said = () => [...document.querySelectorAll('.problems li')].map(item => item.textContent);
  let before = said();
  const events = new EventSource('/status/events');
  events.onmessage = ({ data }) => {
    live.classList.remove('stale');
    const selection = document.getSelection();
    if (selection !== null && !selection.isCollapsed) return;
    const focused = document.activeElement === null ? '' : document.activeElement.id;
    live.innerHTML = JSON.parse(data);
    if (focused !== '') document.getElementById(focused)?.focus({ preventScroll: true });
    const now = said();
    const strip = text => text.replace(/for [0-9]+ (s|min|h|d)/, '');
    const known = before.map(strip);
    const fresh = now.filter(text => !known.includes(strip(text)));
    if (fresh.length > 0) news.textContent = fresh.join(' ');
    else if (now.length === 0 && before.length > 0) news.textContent = 'All problems are resolved.';
    before = now;
    document.title = (now.length > 0 ? '\\u25cf ' : '') + 'Fairlead';
  };
  events.onerror = () => live.classList.add('stale');
})();
`;
