/** What may not be written, each with what to write instead. */
import { type Breach, lineOf, type Source } from './source.ts';

export interface Ban {
  readonly pattern: RegExp; // with the flag g
  /** Where it is looked for: comments and strings are not code. */
  readonly where: 'code' | 'comments';
  readonly instead: string;
  /** Files that may, each with the reason. */
  readonly except: Readonly<Record<string, string>>;
}

const CLOCK = { 'src/resilience/clock.ts': 'the only place that touches real time' };
const RANDOM = { 'src/resilience/random.ts': 'the only place that touches real chance' };
const TIMERS = {
  ...CLOCK,
  'src/cli/demo.ts': 'backends of the demo, not the proxy: they are slow in real time for a person to see',
  'src/cli/status.ts': 'a command that waits for its next second',
};

/** In src. */
export const SOURCE_BANS: readonly Ban[] = [
  code(
    /\bDate\s*\.\s*now\b/g,
    'take a Clock by parameter: wallMs() for a calendar, nowMs() for a duration',
    CLOCK,
  ),
  code(/\bnew\s+Date\s*\(\s*\)/g, 'take a Clock by parameter: new Date(clock.wallMs())', CLOCK),
  code(/(?<![.\w$])performance\b|\bhrtime\b/g, 'take a Clock by parameter: nowMs()', CLOCK),
  code(
    /(?:(?<![.\w$])|\bglobalThis\s*\.\s*)(?:setTimeout|setInterval)\b|\bAbortSignal\s*\.\s*timeout\b/g,
    'take a Clock by parameter: setTimer() and cancelTimer()',
    TIMERS,
  ),
  code(
    /\bMath\s*\.\s*random\b|\brandomUUID(?:v7)?\b/g,
    'take a Random by parameter: unit() or requestId()',
    RANDOM,
  ),
];

const REPORTER = {
  'test/support/runner/event_reporter.ts': 'Node takes a reporter from the default export of its module',
};

/** Everywhere. */
export const PROJECT_BANS: readonly Ban[] = [
  code(
    /(?:[:<|&,=]\s*|\b(?:as|extends|keyof|readonly)\s+)any\b(?!\s*[.:(])/g,
    'a type; "unknown" where the outside decides',
  ),
  code(
    /(?<![.\w$])export\s+default\b|\bas\s+default\b/g,
    'a named export: one name for one thing everywhere',
    REPORTER,
  ),
  code(/(?<![.\w$])(?:declare\s+|const\s+)?enum\s+[A-Za-z_$][\w$]*\s*\{/g, 'a union of string literals'),
  comment(/\b(?:TODO|FIXME|XXX|HACK)\b/g, 'an issue, or the work itself'),
  comment(
    /@ts-(?:ignore|nocheck|expect-error)/g,
    'a type that fits: narrow it, or ask for the type that is needed',
  ),
];

function code(pattern: RegExp, instead: string, except: Ban['except'] = {}): Ban {
  return { pattern, where: 'code', instead, except };
}

function comment(pattern: RegExp, instead: string): Ban {
  return { pattern, where: 'comments', instead, except: {} };
}

export function checkBans(sources: readonly Source[], bans: readonly Ban[]): Breach[] {
  const breaches: Breach[] = [];
  for (const source of sources) {
    for (const { pattern, where, instead, except } of bans) {
      if (except[source.path] !== undefined) continue;
      for (const match of source[where].matchAll(pattern)) {
        const message = `"${match[0].trim()}" is not used here; instead: ${instead}`;
        breaches.push({ path: source.path, line: lineOf(source.text, match.index), message });
      }
    }
  }
  return breaches;
}

/** Words that name no thing: such a file collects whatever has no home. */
const EMPTY_NAMES =
  /^(?:utils?|helpers?|managers?|index|commons?|misc|shared|base|types)(?:[._]|$)|_(?:utils?|helpers?|manager)\./;

/** A word of systemd's own: what it is called by everybody (DESIGN.md section 2). */
const SAID_BY_OTHERS = new Set(['service_manager.ts', 'service_manager.test.ts']);

export function checkFileNames(sources: readonly Source[]): Breach[] {
  const breaches: Breach[] = [];
  for (const { path } of sources) {
    const name = path.split('/').at(-1) ?? '';
    const complain = (message: string) => breaches.push({ path, line: 1, message });
    if (EMPTY_NAMES.test(name) && !SAID_BY_OTHERS.has(name))
      complain(`"${name}" says nothing: name the file after the thing an operator talks about`);
    if (!/^[a-z0-9_]+(?:\.test)?\.[jt]s$/.test(name)) complain(`"${name}" is not in snake_case`);
  }
  return breaches;
}
