/** Stores heartbeats for as long as the process runs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { presenceSchema, subjects } from '@imapfleet/protocol'
import { hearPresence } from './hear-presence.ts'
import { recognise } from '../../platform/nats/recognise.ts'
import type { Deps } from '../../deps.ts'
import { Outage } from '../../platform/outage.ts'
import { recordPresence } from './record-presence.ts'
import type { RejectedMessages } from './rejected-messages.ts'

const retryMs = 1000

export async function ingestPresence(
  deps: Deps,
  rejected: RejectedMessages,
  signal: AbortSignal,
): Promise<void> {
  const outage = new Outage(deps.log, 'heartbeats cannot be stored', 'heartbeats are stored again')
  while (!signal.aborted) {
    try {
      for await (const batch of hearPresence(deps.bus, signal)) {
        const heard = batch.flatMap((message) => {
          const presence = recognise(presenceSchema, message, subjects.presence)
          if (presence.ok) return [presence.value]
          rejected.note('heartbeat', message.subject, presence.reason)
          return []
        })
        await recordPresence(deps, heard)
          .then(() => outage.over())
          .catch((error: unknown) => outage.began(error))
      }
    } catch (error) {
      if (!signal.aborted) outage.began(error)
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {})
  }
}
