/** Defines metrics with the `fairlead_` prefix in the registry of this process, not in a global one. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Buckets that OpenTelemetry recommends for HTTP durations, in seconds. */
export const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function defineCounter<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: L[],
): Counter<L> {
  return new Counter({ name: `fairlead_${name}`, help, labelNames, registers: [registry] });
}

/** A counter whose value is set at a scrape, from a total that is counted elsewhere. */
export function defineReadCounter<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: L[],
  read: (counter: Counter<L>) => void,
): void {
  const counter: Counter<L> = new Counter({
    name: `fairlead_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      counter.reset();
      read(counter);
    },
  });
}

export function defineHistogram<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: L[],
  buckets: readonly number[],
): Histogram<L> {
  return new Histogram({
    name: `fairlead_${name}`,
    help,
    labelNames,
    buckets: [...buckets],
    registers: [registry],
  });
}

export function defineGauge<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: L[],
): Gauge<L> {
  return new Gauge({ name: `fairlead_${name}`, help, labelNames, registers: [registry] });
}

/** A gauge that is computed at a scrape. Label values that are not set again disappear. */
export function defineReadGauge<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: L[],
  read: (gauge: Gauge<L>) => void,
): void {
  const gauge: Gauge<L> = new Gauge({
    name: `fairlead_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      gauge.reset();
      read(gauge);
    },
  });
}
