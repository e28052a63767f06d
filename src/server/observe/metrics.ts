/** Prometheus metrics in a registry of their own, so that several servers in one process (tests) do not share numbers. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  /** Finished calls by procedure, kind and outcome (`ok` or the tRPC code). */
  readonly calls: Counter<'path' | 'type' | 'outcome'>;
  readonly callSeconds: Histogram<'path' | 'type'>;
  readonly sockets: Gauge;
  readonly socketsClosed: Counter<'code'>;
  readonly subscriptions: Gauge<'path'>;
  readonly rejected: Counter<'why'>;
}

export function createMetrics({ processMetrics = false } = {}): Metrics {
  const registry = new Registry();
  // They install a garbage collection observer per registry, which tests with many servers would pile up.
  if (processMetrics) collectDefaultMetrics({ register: registry, prefix: 'parley_' });
  const registers = [registry];
  return {
    registry,
    calls: new Counter({
      name: 'parley_calls_total',
      help: 'Finished tRPC calls',
      labelNames: ['path', 'type', 'outcome'],
      registers,
    }),
    callSeconds: new Histogram({
      name: 'parley_call_seconds',
      help: 'Time of tRPC queries and mutations',
      labelNames: ['path', 'type'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    sockets: new Gauge({ name: 'parley_sockets', help: 'Open WebSockets', registers }),
    socketsClosed: new Counter({
      name: 'parley_sockets_closed_total',
      help: 'WebSockets closed by the server, by close code',
      labelNames: ['code'],
      registers,
    }),
    subscriptions: new Gauge({
      name: 'parley_subscriptions',
      help: 'Running subscriptions',
      labelNames: ['path'],
      registers,
    }),
    rejected: new Counter({
      name: 'parley_rejected_total',
      help: 'Requests and upgrades refused before they reached a procedure',
      labelNames: ['why'],
      registers,
    }),
  };
}
