/** The door of @imapfleet/observe. Nothing in here imports from Node: the console uses it too. */
export * from './histogram.ts'
export * from './log.ts'
export * from './metrics.ts'
export * from './one-line.ts'
export * from './prometheus.ts'
export * from './registry.ts'
export * from './series-key.ts'
export * from './timings.ts'
