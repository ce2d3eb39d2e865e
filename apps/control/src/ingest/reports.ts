/**
 * Reports from JetStream to Postgres. A report is acknowledged after the commit that holds it; whatever dies in between,
 * it comes again, and a second time is no second row.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { reportSchema, subjects } from '@imapfleet/protocol'
import { recognise } from '../bus/recognise.ts'
import { takeReports, type Delivery } from '../bus/reports.ts'
import type { Deps } from '../deps.ts'
import { Outage } from '../outage.ts'
import { checkPostgres } from '../verbs/check-health.ts'
import { recordReports } from '../verbs/record-reports.ts'
import type { Strangers } from './strangers.ts'

const retryMs = 1000
/** Batches under way at once. */
const together = 2

export async function ingestReports(deps: Deps, strangers: Strangers, signal: AbortSignal): Promise<void> {
  const outage = new Outage(deps.log, 'reports cannot be stored', 'reports are stored again')
  while (!signal.aborted) {
    try {
      await ingestAll(deps, strangers, signal, outage)
    } catch (error) {
      if (!signal.aborted) outage.began(error)
    }
    await untilPossible(deps, signal)
  }
}

/** One batch is read while the one before it is written. Throws as soon as one could not be written. */
async function ingestAll(
  deps: Deps,
  strangers: Strangers,
  signal: AbortSignal,
  outage: Outage,
): Promise<void> {
  const working = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    for await (const batch of takeReports(deps.bus, signal)) {
      const work: Promise<void> = ingestBatch(deps, strangers, batch)
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

async function ingestBatch(deps: Deps, strangers: Strangers, batch: readonly Delivery[]): Promise<void> {
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
    strangers.note('report', delivery.subject, reason)
    delivery.refuse()
  }
}

/** Takes nothing from the stream while Postgres cannot take it; makes the stream where NATS has lost it. */
async function untilPossible(deps: Deps, signal: AbortSignal): Promise<void> {
  do {
    await sleep(retryMs, undefined, { signal }).catch(() => {})
    await deps.bus.repair().catch(() => {})
  } while (!signal.aborted && (await checkPostgres(deps)) !== 'ok')
}
