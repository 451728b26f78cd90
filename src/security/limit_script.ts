/**
 * All shared rate limits of one request as one script: GCRA as in `rate_limit.ts`. The server runs a script atomically, so
 * several machines together never admit more than one of them would.
 *
 * Per key the server keeps the theoretical arrival time (TAT), in microseconds of its own clock, and the interval with which
 * it was counted. If a reload changes the rate, the number of requests that the key has used is kept, also while only some
 * machines have the new rate. A key expires when its TAT has passed, because then it has its full allowance back.
 */
import type { Reply } from '../net/redis_reply.ts';

/** The question for one limit. */
export interface LimitQuestion {
  /** Identifies the allowance: the limit, and the value by which it is keyed. */
  readonly key: string;
  readonly intervalMs: number;
  readonly burst: number;
  /** If it refuses, no limit of the same request is charged. */
  readonly enforce: boolean;
}

export interface LimitAnswer {
  /** 0 admits; otherwise milliseconds until the next request of this key would be admitted. */
  readonly retryAfterMs: number;
  /** How many more requests of this key would be admitted after this one. */
  readonly left: number;
  /** Milliseconds until the key has its full allowance back. */
  readonly resetMs: number;
}

/**
 * KEYS: one per limit. ARGV, per limit: interval in microseconds, burst, and 1 for enforce. Returns three numbers per limit:
 * wait in microseconds, left, reset in microseconds. `format` writes numbers, because Lua itself writes only 14 digits.
 */
export const LIMIT_SCRIPT = `local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answers, tats, refused = {}, {}, false
for at, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[3 * at - 2]), tonumber(ARGV[3 * at - 1])
  local tat = now
  local kept = redis.call('GET', key)
  if kept then
    local keptTat, keptInterval = kept:match('^(%S+) (%S+)$')
    local used = math.max(0, tonumber(keptTat) - now)
    if tonumber(keptInterval) ~= interval then used = math.min(burst, used / keptInterval) * interval end
    tat = now + used
  end
  local earliest = tat - interval * (burst - 1)
  local wait, left = 0, 0
  if now < earliest then
    wait = earliest - now
    if ARGV[3 * at] == '1' then refused = true end
  else
    left = math.floor((now - earliest) / interval)
    tat = tat + interval
    tats[at] = tat
  end
  answers[3 * at - 2] = math.ceil(wait)
  answers[3 * at - 1] = left
  answers[3 * at] = math.ceil(tat - now)
end
if not refused then
  for at, tat in pairs(tats) do
    local value = string.format('%.3f %s', tat, ARGV[3 * at - 2])
    redis.call('SET', KEYS[at], value, 'PX', string.format('%.0f', math.ceil((tat - now) / 1000) + 1))
  end
end
return answers`;

/** The words after `EVAL script` or `EVALSHA digest`. */
export function questionWords(questions: readonly LimitQuestion[], keyPrefix: string): string[] {
  const words = [String(questions.length)];
  for (const { key } of questions) words.push(keyPrefix + key);
  for (const { intervalMs, burst, enforce } of questions)
    words.push(String(intervalMs * 1_000), String(burst), enforce ? '1' : '0');
  return words;
}

/** Null: not a result of the script. */
export function readAnswers(reply: Reply, count: number): LimitAnswer[] | null {
  if (!Array.isArray(reply) || reply.length !== 3 * count) return null;
  const numbers: readonly unknown[] = reply;
  if (!numbers.every(Number.isSafeInteger)) return null;
  return Array.from({ length: count }, (_, at) => ({
    retryAfterMs: Number(numbers[3 * at]) / 1_000,
    left: Number(numbers[3 * at + 1]),
    resetMs: Number(numbers[3 * at + 2]) / 1_000,
  }));
}
