/** An interrupted benchmark stops its processes before it ends; its temporary directories go with it. */

/** A second signal does not wait for `stop`. */
export function onInterrupt(stop: () => Promise<void>): void {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.once(signal, () => void stop().finally(() => process.exit(status)))
}
