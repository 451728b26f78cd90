/** How a metric of ours is defined: the prefix, and the registry of this process rather than a global one. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export function defineCounter<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: L[],
): Counter<L> {
  return new Counter({ name: `fairlead_${name}`, help, labelNames, registers: [registry] });
}

/** Has its value at the moment of a scrape: the total of somebody else who counts. */
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

/** Is read when somebody asks; what is not set anew has gone. */
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
