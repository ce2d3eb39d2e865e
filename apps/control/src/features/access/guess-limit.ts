/**
 * Wrong tokens by source, counted in this process while Postgres accepts no writes. Otherwise Postgres counts them, for
 * all replicas.
 */
import { isIPv6 } from 'node:net'

const windowMs = 60_000
/** Sources in memory. The oldest are forgotten first. */
const sourcesMax = 10_000

export class GuessLimit {
  readonly #windows = new Map<string, { since: number; failures: number }>()

  failures(source: string, now: number): number {
    const window = this.#windows.get(source)
    return window && isOpen(window.since, now) ? window.failures : 0
  }

  /** Counts one more. Returns the present count. */
  note(source: string, now: number): number {
    const failures = this.failures(source, now) + 1
    const since = failures === 1 ? now : (this.#windows.get(source)?.since ?? now)
    this.#windows.set(source, { since, failures })
    if (this.#windows.size > sourcesMax) {
      const [oldest] = this.#windows.keys()
      if (oldest !== undefined) this.#windows.delete(oldest)
    }
    return failures
  }
}

/** A window from the future was opened before the clock was put back. */
const isOpen = (since: number, now: number) => since <= now && now - since < windowMs

/** Guesses are counted by IPv4 address, or by the /64 of an IPv6 address, because one customer gets a /64. */
export function guesserOf(address: string): string {
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return address
  // The parser of URLs shortens an address in one way only.
  const short = URL.parse(`http://[${plain}]/`)?.hostname.slice(1, -1) ?? plain
  const [head = '', tail] = short.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last]
  return `${groups.slice(0, 4).join(':')}::/64`
}
