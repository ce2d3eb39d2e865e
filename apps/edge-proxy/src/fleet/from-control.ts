/**
 * Distinguishes messages of control from those that another edge made JetStream send. JetStream answers a read of the stream of
 * evidence on any subject that the reader names, with what an edge has stored there, so it may look like an order. Its
 * answers have headers, and messages of control have none.
 */
import type { Counter, Log } from '@imapfleet/observe'

interface Received {
  subject: string
  headers?: { last: (name: string) => string }
}

export interface Forgeries {
  log: Pick<Log, 'warn'>
  forged: Counter
}

/** False: the message is forged. This is counted, and logged with the subject of the sender. */
export function isFromControl({ subject, headers }: Received, { log, forged }: Forgeries): boolean {
  if (headers === undefined) return true
  forged.value++
  // Logged once for each thousand, because an edge may send many.
  if (forged.value % 1_000 === 1)
    log.warn('message_forged', { subject, sender: headers.last('Nats-Subject').slice(0, 200) })
  return false
}
