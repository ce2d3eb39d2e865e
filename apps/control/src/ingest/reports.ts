/**
 * Reports from JetStream to Postgres. A report is acknowledged after the commit that holds it; whatever dies in between,
 * it comes again, and a second time is no second row.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { reportSchema, subjects, type Report } from '@imapfleet/protocol'
import { recognise } from '../bus/recognise.ts'
import { takeReports, type Delivery } from '../bus/reports.ts'
import type { Deps } from '../deps.ts'
import { Outage } from '../log.ts'
import { checkPostgres } from '../verbs/check-health.ts'
import { recordReports } from '../verbs/record-reports.ts'
import type { Strangers } from './strangers.ts'

const retryMs = 1000

export async function ingestReports(deps: Deps, strangers: Strangers, signal: AbortSignal): Promise<void> {
  const outage = new Outage(deps.log, 'reports are not taken in', 'reports are taken in again')
  while (!signal.aborted) {
    try {
      for await (const batch of takeReports(deps.bus, signal)) {
        await ingestBatch(deps, strangers, batch)
        outage.over()
      }
    } catch (error) {
      if (!signal.aborted) outage.began(error)
    }
    await untilPossible(deps, signal)
  }
}

async function ingestBatch(deps: Deps, strangers: Strangers, batch: readonly Delivery[]): Promise<void> {
  const deliveries = new Map<Report, Delivery>()
  for (const delivery of batch) {
    const report = recognise(reportSchema, delivery, subjects.report)
    if (report.ok) deliveries.set(report.value, delivery)
    else refuse(delivery, report.reason)
  }
  try {
    const refused = await recordReports(deps, [...deliveries.keys()])
    for (const [report, delivery] of deliveries) {
      const reason = refused.get(report)
      if (reason === undefined) delivery.done()
      else refuse(delivery, reason)
    }
  } catch (error) {
    for (const delivery of deliveries.values()) delivery.again(retryMs)
    throw error
  }

  function refuse(delivery: Delivery, reason: string): void {
    strangers.note('report', delivery.subject, reason)
    delivery.refuse()
  }
}

/** Takes nothing from the stream while Postgres can not take it; makes the stream where NATS has lost it. */
async function untilPossible(deps: Deps, signal: AbortSignal): Promise<void> {
  do {
    await sleep(retryMs, undefined, { signal }).catch(() => {})
    await deps.bus.mend().catch(() => {})
  } while (!signal.aborted && (await checkPostgres(deps)) !== 'ok')
}
