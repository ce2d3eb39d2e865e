/**
 * Changes and events at the edges of an alert shortly before the alert began. A reader sees only what the role allows:
 * revisions and starts of edges for everyone, orders and drains for operators.
 */
import {
  isAtLeast,
  layerText,
  type AlertPreceding,
  type FleetTarget,
  type LayerName,
  type RevisionView,
} from '@imapfleet/api'
import { isDisruptiveOrder, orderActionSchema, orderTitle } from '@imapfleet/protocol'
import type { Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { selectAuditOf, type AuditRow } from '../audit/service.ts'
import { revisionsBetween } from '../config/service.ts'
import { selectStarts, type EdgeStart } from '../edges/service.ts'
import { rolloutsBetween, type RolledOut } from '../rollouts/service.ts'
import type { AlertRow } from './queries.ts'

/** An effect can follow late: waves and stages take their time. */
const beforeMs = 3_600_000
/** The cause can be recorded after the condition, such as the last heartbeat of an edge. */
const afterMs = 60_000
const shownMax = 20
const keysMax = 3

export async function precedingOf(
  queries: Queries,
  actor: Actor,
  alert: Pick<AlertRow, 'since' | 'openedAt' | 'region' | 'edge'>,
  now: Date,
): Promise<AlertPreceding[]> {
  const since = alert.since.getTime()
  const from = new Date(since - beforeMs)
  const to = new Date(Math.min(since + afterMs, Math.max(since, (alert.openedAt ?? now).getTime())))
  const { limits } = actor
  const edges = await selectStarts(queries, limits, targetOf(alert))
  const rollouts = (await rolloutsBetween(queries, limits, from, to)).filter((each) =>
    isRolledOutTo(each, edges, alert),
  )
  const inWaves = new Set(rollouts.map(({ revision }) => revision))
  const revisions = (await revisionsBetween(queries, limits, from, to)).filter(
    (each) => !inWaves.has(each.revision) && each.state === 'released' && concerns(each.layer, edges, alert),
  )
  const targets = [
    ...(limits.regions === undefined ? ['all'] : []),
    ...(alert.region === null ? [] : [`region/${alert.region}`]),
    ...edges.map(({ id }) => `edge/${id}`),
  ]
  const audited = isAtLeast(actor.role, 'operator')
    ? await selectAuditOf(queries, { actions: Object.keys(auditTexts), targets, from, to })
    : []
  return [
    ...revisions.map(ofRevision),
    ...rollouts.map((each) => ofRollout(each, to)),
    ...audited.flatMap(ofAudit),
    ...startsOf(edges.filter(({ startedAt }) => startedAt >= from && startedAt <= to)),
  ]
    .toSorted((one, other) => (one.at < other.at ? 1 : -1))
    .slice(0, shownMax)
}

type Place = Pick<AlertRow, 'region' | 'edge'>

function targetOf({ region, edge }: Place): FleetTarget {
  if (edge !== null) return { kind: 'edge', name: edge }
  return region === null ? { kind: 'all' } : { kind: 'region', name: region }
}

/** Whether a layer is in force at the edges of an alert. */
function concerns(layer: LayerName, edges: readonly EdgeStart[], { region }: Place): boolean {
  if (layer.kind === 'global' || region === null) return true
  return layer.kind === 'region' ? layer.name === region : edges.some(({ id }) => id === layer.name)
}

/** An edge that no wave has reached yet does not have the revision. */
function isRolledOutTo(rollout: RolledOut, edges: readonly EdgeStart[], place: Place): boolean {
  const reached = new Set(rollout.waves.slice(0, rollout.wave + 1).flatMap((wave) => wave.edges))
  return concerns(rollout.layer, edges, place) && edges.some(({ id }) => reached.has(id))
}

function ofRevision({ revision, layer, changes, note, createdAt, createdBy }: RevisionView): AlertPreceding {
  return {
    at: createdAt,
    by: createdBy,
    text: `revision ${revision} of ${layerText(layer)}: ${changesText(changes)}${note === '' ? '' : ` (${note})`}`,
    revision,
    undo: `imapfleet config undo ${revision}`,
  }
}

function changesText(changes: RevisionView['changes']): string {
  const shown = changes.slice(0, keysMax).map(({ key, before, after }) => {
    if (after === null) return `${key} unset`
    return `${key} ${before === null ? '' : `${JSON.stringify(before)} → `}${JSON.stringify(after)}`
  })
  const more = changes.length - shown.length
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

const rolloutWords: Readonly<Record<RolledOut['state'], string>> = {
  running: 'is running',
  paused: 'is paused',
  completed: 'was completed',
  'rolled-back': 'was rolled back',
  aborted: 'was aborted',
}

function ofRollout(rollout: RolledOut, to: Date): AlertPreceding {
  const { revision, layer, changes, state, reason, createdAt, waveStartedAt, finishedAt } = rollout
  const last = [finishedAt, waveStartedAt].find((at) => at !== null && at <= to) ?? createdAt
  const isOver = finishedAt !== null
  return {
    at: last.toISOString(),
    by: rollout.createdBy,
    text:
      `rollout of revision ${revision} to ${layerText(layer)} ${rolloutWords[state]}` +
      `${reason === null ? '' : ` (${reason})`}: ${changesText(changes)}`,
    revision,
    undo: isOver
      ? state === 'completed'
        ? `imapfleet config undo ${revision}`
        : null
      : `imapfleet rollouts abort ${revision}`,
  }
}

/** The options of a command that select the edges of a target. */
const optionOf = (target: string): string =>
  target === 'all' ? '--all' : target.replace(/^(\w+)\//, '--$1 ')

/** What the audit log says in words, and the command that takes it back. Undefined: it explains no alert. */
const auditTexts: Readonly<
  Record<string, (entry: AuditRow) => Pick<AlertPreceding, 'text' | 'undo'> | undefined>
> = {
  'edges.drain': ({ target }) => ({
    text: `drain of ${target}`,
    undo: `imapfleet resume ${optionOf(target)}`,
  }),
  'edges.resume': ({ target }) => ({ text: `resume of ${target}`, undo: null }),
  'edge.revoke': ({ target }) => ({ text: `the credential of ${target} was revoked`, undo: null }),
  'order.give': ({ target, after }) => {
    const action = orderActionSchema.safeParse(after).data
    if (!action || !(isDisruptiveOrder(action) || action.kind === 'resume-upstream')) return undefined
    return {
      text: `order for ${target}: ${orderTitle(action)}`,
      undo:
        action.kind === 'pause-upstream'
          ? `imapfleet upstream resume ${action.upstream} ${optionOf(target)}`
          : null,
    }
  },
}

function ofAudit(entry: AuditRow): AlertPreceding[] {
  const told = auditTexts[entry.action]?.(entry)
  return told ? [{ at: entry.at.toISOString(), by: entry.actor, revision: null, ...told }] : []
}

/** Edges that were started within a minute are one line, because an upgrade starts many. */
function startsOf(edges: readonly EdgeStart[]): AlertPreceding[] {
  const minutes = Map.groupBy(edges, ({ startedAt }) => startedAt.toISOString().slice(0, 16))
  return [...minutes.values()].flatMap((started) => {
    const [first] = started
    if (!first) return []
    const text =
      started.length === 1
        ? `${first.id} started, version ${first.version}`
        : `${started.length} edges started`
    return [{ at: first.startedAt.toISOString(), by: null, text, revision: null, undo: null }]
  })
}
