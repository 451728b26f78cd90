/** The figures of the last minute, each with its course. */
import { FAILURE_SHARE_BAD } from './endpoint_severity.ts';
import { type Html, html, slot } from './html.ts';
import type { Sample } from './samples.ts';
import { ms, percent, percentiles, rate } from './status_format.ts';
import type { PageView } from './status_view.ts';

const LOOP_DELAY_BAD_MS = 100;

export function tiles({ figures, samples, requests, overheadMs }: PageView): Html {
  const loopDelayMs = samples.at(-1)?.loopDelayMs ?? 0;
  const course = (value: (sample: Sample) => number): Html => sparkline(samples.map(value));
  return html`${[
    tile(
      'rate',
      'requests/s',
      rate(figures.perSecond),
      course(sample => sample.requests),
    ),
    tile(
      'failures',
      'failures',
      percent(figures.failureShare),
      course(({ requests: all, failed }) => (all === 0 ? 0 : failed / all)),
      figures.failureShare > FAILURE_SHARE_BAD,
    ),
    tile(
      'ms',
      'p50 / p95 / p99',
      percentiles(figures),
      course(sample => sample.p95Ms),
    ),
    tile(
      'active',
      'in flight',
      String(requests.active),
      course(sample => sample.active),
    ),
    tile(
      'tunnels',
      'tunnels',
      String(requests.tunnels),
      course(sample => sample.tunnels),
    ),
    tile(
      'loop',
      'event loop delay',
      ms(loopDelayMs),
      course(sample => sample.loopDelayMs),
      loopDelayMs > LOOP_DELAY_BAD_MS,
    ),
    tile(
      'overhead',
      'proxy overhead',
      ms(overheadMs),
      course(sample => sample.overheadMs),
    ),
  ]}`;
}

function tile(key: string, name: string, value: string, line: Html, isBad = false): Html {
  const [valueId, lineId] = [`t-${key}`, `l-${key}`];
  const shown = html`<span${isBad ? html` class="bad"` : ''}>${value}</span>`;
  return html`<div class="tile"><h3>${name}</h3><p id="${valueId}">${slot(valueId, shown)}</p><svg id="${lineId}" viewBox="0 0 118 24" preserveAspectRatio="none" aria-hidden="true">${slot(lineId, line)}</svg></div>`;
}

const HIGH = 22;
const STEP = 2;
const SAMPLES_MAX = 60;

/**
 * Decorative; the value above it is the accessible one. In whole units and relative steps: a line that stays at zero is the
 * same text every second, and is not sent again.
 */
function sparkline(values: readonly number[]): Html {
  const highest = Math.max(...values, 1e-9);
  const heights = values.map(value => HIGH - Math.round((value / highest) * (HIGH - 2)));
  const steps = heights.slice(1).map((height, at) => {
    const rise = height - (heights[at] ?? height);
    return rise === 0 ? `h${STEP}` : `l${STEP} ${rise}`;
  });
  const line = `M${(SAMPLES_MAX - values.length) * STEP} ${heights[0] ?? HIGH}${merged(steps)}`;
  return html`<path d="${line}"/>`;
}

/** Level stretches become one step. */
function merged(steps: readonly string[]): string {
  let line = '';
  let level = 0;
  for (const step of [...steps, '']) {
    if (step.startsWith('h')) {
      level += STEP;
      continue;
    }
    if (level > 0) line += `h${level}`;
    level = 0;
    line += step;
  }
  return line;
}
