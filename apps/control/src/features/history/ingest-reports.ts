/**
 * Reports from JetStream to Postgres. A report is acknowledged after the commit that stores it. If a process dies in
 * between, JetStream delivers the report again, and a second delivery adds no row.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { reportSchema, subjects } from '@imapfleet/protocol'
import { recognise } from '../../platform/nats/recognise.ts'
import { takeReports, type Delivery } from './take-reports.ts'
import type { Deps } from '../../deps.ts'
import { Outage } from '../../platform/outage.ts'
import { checkPostgres } from '../../platform/http/health.ts'
import { recordReports } from './record-reports.ts'
import type { RejectedMessages } from '../edges/rejected-messages.ts'

const retryMs = 1000
/** Batches in progress at the same time. */
const together = 2

export async function ingestReports(
  deps: Deps,
  rejected: RejectedMessages,
  signal: AbortSignal,
): Promise<void> {
  const outage = new Outage(deps.log, 'reports cannot be stored', 'reports are stored again')
  while (!signal.aborted) {
    try {
      await ingestAll(deps, rejected, signal, outage)
    } catch (error) {
      if (!signal.aborted) outage.began(error)
    }
    await untilPossible(deps, signal)
  }
}

/** Reads one batch while the previous one is written. Throws as soon as one could not be written. */
async function ingestAll(
  deps: Deps,
  rejected: RejectedMessages,
  signal: AbortSignal,
  outage: Outage,
): Promise<void> {
  const working = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    for await (const batch of takeReports(deps.bus, signal)) {
      const work: Promise<void> = ingestBatch(deps, rejected, batch)
        .then(() => outage.over())
        .catch((error: unknown) => void failures.push(error))
        .finally(() => working.delete(work))
      working.add(work)
      if (working.size >= together) await Promise.race(working)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(working)
  }
  if (failures.length > 0) throw failures[0]
}

async function ingestBatch(
  deps: Deps,
  rejected: RejectedMessages,
  batch: readonly Delivery[],
): Promise<void> {
  const recognised = batch.flatMap((delivery) => {
    const report = recognise(reportSchema, delivery, subjects.report)
    if (report.ok) return [{ delivery, report: report.value, bytes: delivery.data.length }]
    refuse(delivery, report.reason)
    return []
  })
  try {
    const refused = await recordReports(deps, recognised)
    for (const received of recognised) {
      const reason = refused.get(received)
      if (reason === undefined) received.delivery.done()
      else refuse(received.delivery, reason)
    }
  } catch (error) {
    for (const { delivery } of recognised) delivery.again(retryMs)
    throw error
  }

  function refuse(delivery: Delivery, reason: string): void {
    rejected.note('report', delivery.subject, reason)
    delivery.refuse()
  }
}

/** Pauses while Postgres is unavailable. Creates the stream if NATS has lost it. */
async function untilPossible(deps: Deps, signal: AbortSignal): Promise<void> {
  do {
    await sleep(retryMs, undefined, { signal }).catch(() => {})
    await deps.bus.repair().catch(() => {})
  } while (!signal.aborted && (await checkPostgres(deps)) !== 'ok')
}
