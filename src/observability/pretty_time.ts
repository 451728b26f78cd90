/** The time of a line for people. */

/** `time` of the settings: the local time of day, or the whole instant. */
export function prettyTime(time: 'epoch' | 'iso', wallMs: number): string {
  const date = new Date(wallMs);
  if (time === 'iso') return date.toISOString();
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map(value =>
    String(value).padStart(2, '0'),
  );
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
