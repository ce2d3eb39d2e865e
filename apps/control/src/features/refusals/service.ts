/**
 * Tells the operator which edge sends what control refuses: as a problem of the edge, and as a metric. Refusals are
 * gathered in each process, and written together every few seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EdgeProblem } from '@imapfleet/api'
import { reasonOf } from '@imapfleet/observe'
import type { Deps } from '../../deps.ts'
import type { Queries } from '../../platform/db/database.ts'
import type { Refusal, SentAs } from '../../platform/nats/intake.ts'
import { addRefusals, cleanMinutes, deleteOldRefusals, selectRefusals, type RefusalRow } from './queries.ts'

const everyMs = 5_000

/** Runs until the signal is aborted. */
export async function keepRefusals(deps: Deps, signal: AbortSignal): Promise<void> {
  let kept: Refusal[] = []
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => {})
    // Failed writes are tried again once, so that the list does not grow during an outage of Postgres.
    const noted = [...kept, ...deps.intake.take()]
    kept = []
    if (noted.length === 0) continue
    try {
      await writeRefusals(deps, noted)
    } catch (error) {
      kept = noted.slice(0, 2_000)
      deps.log.debug('refusals cannot be stored', { reason: reasonOf(error) })
    }
  }
}

export async function writeRefusals(
  { db, metrics }: Pick<Deps, 'db' | 'metrics'>,
  noted: readonly Refusal[],
): Promise<void> {
  const together = [
    ...Map.groupBy(noted, ({ edge, sentAs, kind }) => `${edge} ${sentAs} ${kind}`).values(),
  ].map((same): Refusal => ({ ...same.at(-1)!, count: same.reduce((sum, { count }) => sum + count, 0) }))
  const known = await addRefusals(db, together)
  for (const { edge, sentAs, kind, count } of together)
    // The label has only names of registered edges, so that invented ones are one series.
    metrics.counters.control_refused_total({
      edge: known.has(edge) ? edge : '',
      sent_as: sentAs,
      reason: kind,
    }).value += count
}

/** By edge. A text changes when more is refused, at most as often as refusals are written. */
export async function problemsByEdge(queries: Queries): Promise<Map<string, EdgeProblem[]>> {
  const problems = new Map<string, EdgeProblem[]>()
  for (const row of await selectRefusals(queries)) {
    const problem = problemOf(row)
    if (problem) problems.set(row.edge, [...(problems.get(row.edge) ?? []), problem])
  }
  return problems
}

export async function forgetOldRefusals({ db }: Pick<Deps, 'db'>): Promise<void> {
  await deleteOldRefusals(db.orm)
}

const names: Readonly<Record<SentAs, string>> = {
  heartbeat: 'heartbeats',
  report: 'reports',
  answer: 'answers',
  trace: 'trace lines',
  evidence: 'messages about changed passwords',
}

function problemOf({ sentAs, kind, reason, count, firstAt, lastAt }: RefusalRow): EdgeProblem | undefined {
  const when =
    count === 1
      ? `once, at ${toSecond(firstAt)}`
      : `${grouped.format(count)} times from ${toSecond(firstAt)} to ${toSecond(lastAt)}`
  const what = `${reason}; ${when}; this problem ends ${cleanMinutes} minutes after the last refusal`
  switch (kind) {
    // An edge of a newer version is no problem.
    case 'series-unknown':
      return undefined
    case 'series-invalid':
    case 'series-limit':
      return {
        kind: 'refused',
        severity: 'warning',
        text: `control omits series of its ${names[sentAs]}: ${what}`,
      }
    case 'share-full':
      return { kind: 'refused', severity: 'bad', text: `NATS refuses its ${names[sentAs]}: ${what}` }
    case 'outdated':
      return { kind: 'refused', severity: 'warning', text: `NATS refuses its ${names[sentAs]}: ${reason}` }
    default:
      return { kind: 'refused', severity: 'bad', text: `control refuses its ${names[sentAs]}: ${what}` }
  }
}

const grouped = new Intl.NumberFormat('en-US')

/** `2026-03-01T10:00:00Z`. */
const toSecond = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z')
