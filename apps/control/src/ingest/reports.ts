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
  const outage = new Outage(deps.log, 'the stream of reports')
  while (!signal.aborted) {
    try {
      for await (const batch of takeReports(deps.bus, signal)) {
        outage.over()
        await ingestBatch(deps, strangers, batch, signal)
      }
    } catch (error) {
      if (!signal.aborted) outage.began(error)
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {})
    // NATS may have lost its store: then the stream is not there until somebody makes it.
    if (!signal.aborted) await deps.bus.ensure().catch((error: unknown) => outage.began(error))
  }
}

async function ingestBatch(
  deps: Deps,
  strangers: Strangers,
  batch: readonly Delivery[],
  signal: AbortSignal,
): Promise<void> {
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
    await untilBack(deps, error, signal)
  }

  function refuse(delivery: Delivery, reason: string): void {
    strangers.note('report', delivery.subject, reason)
    delivery.refuse()
  }
}

/** Takes nothing more from the stream while Postgres can not take it. */
async function untilBack(deps: Deps, error: unknown, signal: AbortSignal): Promise<void> {
  const outage = new Outage(deps.log, 'Postgres, for reports,')
  outage.began(error)
  while (!signal.aborted) {
    await sleep(retryMs, undefined, { signal }).catch(() => {})
    if ((await checkPostgres(deps)) === 'ok') return outage.over()
  }
}
