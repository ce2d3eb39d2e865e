/**
 * The configuration that the fleet sets: its layers, and the revisions that changed them. Answers never contain secrets.
 * Only edges get secrets, through the desired state.
 */
import {
  describeKeys,
  detectFormat,
  type JsonValue,
  type Layer,
  layerFromImapproxyConf,
  type Problem,
  redact,
} from '@imapfleet/config'
import {
  type ConfigKey,
  type configViewSchema,
  type ConfReport,
  type FleetTarget,
  type LayerChanges,
  type LayerName,
  layerText,
  type AccessLimits,
  limitsText,
  type RevisionStatus,
  type RevisionView,
  type RolloutSettings,
} from '@imapfleet/api'
import type { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { allowsRegion, noLimits, type Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { pageOf, type PageQuery } from '../../platform/db/page-of.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import { layersByName, resolve, distributeDesired, changeFleet } from '../desired/service.ts'
import { findEdge, readApplied, selectEdges } from '../edges/queries.ts'
import { knownEdge } from '../edges/service.ts'
import { rollingRevision } from '../rollouts/queries.ts'
import { refuseWhileRolling, startRollout, wavesFor } from '../rollouts/service.ts'
import {
  documentBefore,
  documentOf,
  findRevision,
  insertRevision,
  listLayers,
  newestRevision,
  readLayer,
  type RevisionRow,
  selectRevisions,
  selectRevisionsBetween,
} from './queries.ts'
import { type KeyChange, replaced, revise } from './revise.ts'
import { layerNameOf, revisionStatus, revisionView } from './revision-view.ts'
import { undoing } from './undo.ts'

/** The layers within the limits, and their newest revision. The revision is the ETag of this answer, so both are of one moment. */
export async function readConfig(
  { db }: Deps,
  limits: AccessLimits,
): Promise<z.infer<typeof configViewSchema>> {
  const { layers, revision } = await inSnapshot(db, async (queries) => ({
    layers: await listLayers(queries, limits),
    revision: await newestRevision(queries, limits),
  }))
  const named = layers.map(
    ({ kind, name, document }) => [layerText(layerNameOf(kind, name)), redact(document)] as const,
  )
  return {
    revision,
    layers: Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** The layers that override the file of one edge, merged. They include the global layer, because it is in force on the edge. */
export async function readEdgeLayer(
  { db }: Deps,
  limits: AccessLimits,
  id: string,
): Promise<{ revision: number; layer: Layer }> {
  const { revision, layer } = await inSnapshot(db, async (queries) => {
    const { region } = await knownEdge(queries, limits, id)
    return resolve(
      { edge: id, region },
      layersByName(await listLayers(queries, noLimits)),
      await rollingRevision(queries),
    )
  })
  return { revision, layer: redact(layer) }
}

/** All keys that the fleet can set, from the schema of the edges' configuration. */
export const listConfigKeys = (): ConfigKey[] =>
  describeKeys()
    .filter(({ steerable, key }) => steerable && !key.includes('[]'))
    .map(({ key, help, reload, secret, values, choices, preset }) => ({
      ...{ key, help, reload, secret, values },
      ...(choices !== undefined && { choices }),
      ...(preset !== undefined && { preset }),
    }))

/** Translates an imapproxy.conf into the keys of a layer. Nothing is written. */
export function importConf(text: string): ConfReport {
  if (detectFormat(text) !== 'imapproxy-conf')
    throw new ServiceError(
      'config_invalid',
      'This is not an imapproxy.conf: each line must be a keyword, a blank and a value.',
    )
  const read = layerFromImapproxyConf(text)
  if (read.ok) return { set: read.set, report: read.report, kept: read.kept }
  const problems = read.problems.map(({ key, message, line }) => ({
    key,
    message: line === undefined ? message : `${message} (line ${line})`,
  }))
  const [first] = problems
  throw new ServiceError('config_invalid', `${first?.key ?? ''} ${first?.message ?? ''}`.trim(), { problems })
}

/** Newest first. */
export async function listRevisions(
  { db }: Deps,
  limits: AccessLimits,
  page: PageQuery<number>,
): Promise<{ revisions: RevisionView[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectRevisions(db.orm, limits, asked),
    ({ revision }) => revision,
  )
  return { revisions: shown.map(revisionView), next }
}

/** Newest first. */
export async function revisionsBetween(
  queries: Queries,
  limits: AccessLimits,
  from: Date,
  to: Date,
): Promise<RevisionView[]> {
  return (await selectRevisionsBetween(queries, limits, from, to)).map(revisionView)
}

/** One revision, and its progress on each edge. */
export async function readRevision(
  { db }: Deps,
  limits: AccessLimits,
  revision: number,
): Promise<RevisionStatus> {
  return await inSnapshot(db, async (queries) => {
    const row = await findRevision(queries, limits, revision)
    if (!row) throw unknownRevision(revision)
    const concerned = targetOf(layerNameOf(row.layerKind, row.layerName))
    return revisionStatus(row, await readApplied(queries, limits, concerned))
  })
}

const unknownRevision = (revision: number): ServiceError =>
  new ServiceError(
    'revision_unknown',
    `No revision has the number ${revision}: GET /v1/config/revisions lists all revisions.`,
  )

/** Keys to set and to unset, or a whole layer. */
type Change = { set: Record<string, JsonValue>; unset: string[] } | { document: Layer }

/** What is common to all layers of a change. */
interface ChangeTerms {
  note: string
  base?: number | undefined
  /** The newest revision must be one of these. */
  newestIn?: readonly number[] | undefined
  dryRun: boolean
  /** Undefined: all edges get the revisions immediately. */
  rollout?: RolloutSettings | undefined
}

export interface RevisionInput extends ChangeTerms {
  layer: LayerName
  change: Change
}

export interface ChangesInput extends ChangeTerms {
  /** Each layer once. */
  layers: readonly { layer: LayerName; change: Change }[]
}

/**
 * Changes one layer: writes a revision to Postgres, then the desired states of the affected edges. `created` is false for a
 * dry run, and if nothing would change. The number is then the number of the newest revision.
 */
export async function writeRevision(
  deps: Deps,
  actor: Actor,
  { layer, change, ...terms }: RevisionInput,
): Promise<{ created: boolean; status: RevisionStatus }> {
  const { created, statuses } = await writeLayers(deps, actor, { ...terms, layers: [{ layer, change }] })
  const [status] = statuses
  if (!status) throw new Error('a change of one layer has no revision')
  return { created, status }
}

/** Changes several layers, all or none. */
export async function changeLayers(
  deps: Deps,
  actor: Actor,
  input: ChangesInput,
): Promise<{ created: boolean; changes: LayerChanges }> {
  const { created, newest, statuses } = await writeLayers(deps, actor, input)
  const revisions = statuses.filter(({ revision }) => revision.changes.length > 0)
  return { created, changes: { newest, revisions } }
}

interface Written {
  created: boolean
  /** Within the limits. */
  newest: number
  /** Layers that are the same already have the newest number, and no changes. */
  statuses: RevisionStatus[]
}

async function writeLayers(deps: Deps, actor: Actor, input: ChangesInput): Promise<Written> {
  for (const { layer } of input.layers) await needsLayer(deps.db.orm, actor, layer)
  for (;;) {
    // Before the change, which locks the fleet: most mistakes are found here.
    const planned = await preview(deps, actor, input)
    if (planned) return { created: false, ...planned }
    const rows = await store(deps, actor, input)
    if (rows.length === 0) continue
    const concerned = edgesOf(input.layers)
    await distributeDesired(deps, concerned)
    const applied = await readApplied(deps.db.orm, actor.limits, concerned)
    const newest = Math.max(...rows.map(({ revision }) => revision))
    return { created: true, newest, statuses: rows.map((row) => revisionStatus(row, applied)) }
  }
}

/** Throws `outside_limits`, also for an edge that does not exist. */
async function needsLayer(queries: Queries, { name, limits }: Actor, layer: LayerName): Promise<void> {
  if (allowsRegion(limits, layer.kind === 'region' ? layer.name : null)) return
  if (layer.kind === 'edge' && (await findEdge(queries, limits, layer.name))) return
  throw new ServiceError(
    'outside_limits',
    `${name} is limited to ${limitsText(limits)}, and the layer ${layerText(layer)} is outside.`,
  )
}

/** The edges that a change affects: the edges of its layer, or all. */
function edgesOf(layers: ChangesInput['layers']): FleetTarget {
  const [only, ...others] = layers
  return only && others.length === 0 ? targetOf(only.layer) : { kind: 'all' }
}

const targetOf = (layer: LayerName): FleetTarget => (layer.kind === 'global' ? { kind: 'all' } : layer)

/** All revisions, in one transaction and of one version. Empty if another request has made the same change in the meantime. */
async function store(deps: Deps, actor: Actor, input: ChangesInput): Promise<RevisionRow[]> {
  return await changeFleet(deps.db, async (queries) => {
    const { computed } = await compute(queries, actor, input)
    const changed = computed.filter(({ changes }) => changes.length > 0)
    for (const { layer } of changed)
      await refuseWhileRolling(queries, actor, rowNameOf(layer), { inWaves: input.rollout !== undefined })
    const newest = await newestRevision(queries, noLimits)
    const rows: RevisionRow[] = []
    for (const [index, { layer, document, changes }] of changed.entries()) {
      const row = await insertRevision(queries, {
        ...described(input, layer, actor, changes),
        revision: newest + 1 + index,
        document,
        state: input.rollout ? 'rolling' : 'released',
      })
      if (input.rollout) await startRollout(queries, row, input.rollout, actor)
      await writeAudit(queries, {
        actor: actor.name,
        action: 'config.revise',
        target: layerText(layer),
        before: keyed(changes, 'before'),
        after: { revision: row.revision, note: input.note, ...keyed(changes, 'after') },
      })
      rows.push(row)
    }
    return rows
  })
}

interface Computed {
  layer: LayerName
  document: Layer
  changes: KeyChange[]
}

/** Throws if a layer would be invalid, with the problems of all layers. `newest` is within the limits. */
async function compute(
  queries: Queries,
  { limits }: Actor,
  { layers, rollout, ...based }: ChangesInput,
): Promise<{ newest: number; computed: Computed[] }> {
  const newest = await newestRevision(queries, limits)
  refuseOutdated(based, newest)
  const computed: Computed[] = []
  const problems: Problem[] = []
  for (const { layer, change } of layers) {
    const before = await readLayer(queries, layer.kind, nameOf(layer))
    const revised = 'document' in change ? replaced(before, change.document) : revise(before, change)
    if (revised.ok) computed.push({ layer, document: revised.document, changes: revised.changes })
    else if (layers.length === 1) problems.push(...revised.problems)
    else
      for (const problem of revised.problems)
        problems.push({ ...problem, key: `${layerText(layer)} ${problem.key}`.trim() })
  }
  const [first] = problems
  if (first) throw new ServiceError('config_invalid', `${first.key} ${first.message}`.trim(), { problems })
  if (rollout && computed.filter(({ changes }) => changes.length > 0).length > 1)
    throw new ServiceError(
      'request_invalid',
      'A rollout changes one layer, but this request changes several: apply them without a rollout, or one after the other.',
    )
  return { newest, computed }
}

function refuseOutdated({ base, newestIn }: Pick<RevisionInput, 'base' | 'newestIn'>, newest: number): void {
  if (newestIn !== undefined && !newestIn.includes(newest))
    throw new ServiceError(
      'precondition_failed',
      `If-Match does not have the ETag of the newest revision, ${newest}: read the newest and try again.`,
      { newest },
    )
  if (base !== undefined && base !== newest)
    throw new ServiceError(
      'config_conflict',
      `The change is based on revision ${base}, but the newest is ${newest}: read the newest and try again.`,
      { newest },
    )
}

/**
 * The resulting revisions of a dry run, or of a change that changes nothing. Otherwise undefined, and the revisions must be
 * stored.
 */
async function preview(
  { db, now }: Deps,
  actor: Actor,
  input: ChangesInput,
): Promise<Omit<Written, 'created'> | undefined> {
  return await inSnapshot(db, async (queries) => {
    const { newest, computed } = await compute(queries, actor, input)
    if (!input.dryRun && computed.some(({ changes }) => changes.length > 0)) return undefined
    const edges = await readApplied(queries, actor.limits, edgesOf(input.layers))
    const last = await newestRevision(queries, noLimits)
    const statuses: RevisionStatus[] = []
    for (const { layer, changes } of computed) {
      const isSame = changes.length === 0
      const planned = statuses.filter(({ revision }) => revision.changes.length > 0).length
      const shown = {
        ...described(input, layer, actor, changes),
        revision: isSame ? newest : last + 1 + planned,
        createdAt: new Date(now()),
        state: 'released' as const,
        version: isSame ? await versionOf(queries, layer) : unissued,
      }
      const status = revisionStatus(shown, edges)
      if (!input.rollout || (isSame && computed.length > 1)) statuses.push(status)
      else {
        const all = await selectEdges(queries, actor.limits)
        statuses.push({ ...status, waves: wavesFor(rowNameOf(layer), all, input.rollout) })
      }
    }
    return { newest, statuses }
  })
}

/** Above every version that an edge can have. */
const unissued = Number.MAX_SAFE_INTEGER

/** The version of the present revision of a layer; 0: it has none. */
async function versionOf(queries: Queries, layer: LayerName): Promise<number> {
  const layers = await listLayers(queries, noLimits)
  return layers.find(({ kind, name }) => kind === layer.kind && name === nameOf(layer))?.version ?? 0
}

const described = (
  { note }: Pick<ChangesInput, 'note'>,
  layer: LayerName,
  actor: Actor,
  changes: KeyChange[],
) => ({ layerKind: layer.kind, layerName: nameOf(layer), changes, note, createdBy: actor.name })

const rowNameOf = (layer: LayerName) => ({ kind: layer.kind, name: nameOf(layer) })

const nameOf = (layer: LayerName): string => (layer.kind === 'global' ? '' : layer.name)

const keyed = (changes: readonly KeyChange[], side: 'before' | 'after'): Record<string, JsonValue> =>
  Object.fromEntries(changes.map((change) => [change.key, change[side]]))

export interface RestoreInput {
  revision: number
  note: string
  base?: number | undefined
  newestIn?: readonly number[] | undefined
  dryRun: boolean
  rollout?: RolloutSettings | undefined
}

/** Restores a layer to its state after an older revision. The result is a new revision. */
export async function restoreRevision(
  deps: Deps,
  actor: Actor,
  { revision, note, ...rest }: RestoreInput,
): Promise<{ created: boolean; status: RevisionStatus }> {
  const row = await findRevision(deps.db.orm, actor.limits, revision)
  const document = await documentOf(deps.db.orm, revision)
  if (!row || !document) throw unknownRevision(revision)
  const layer = layerNameOf(row.layerKind, row.layerName)
  return await writeRevision(deps, actor, {
    ...rest,
    layer,
    change: { document },
    note: note === '' ? `restores revision ${revision}` : note,
  })
}

/** Restores the previous values of the keys that a revision changed. The result is a new revision. */
export async function undoRevision(
  deps: Deps,
  actor: Actor,
  { revision, note, ...rest }: RestoreInput,
): Promise<{ created: boolean; status: RevisionStatus }> {
  const { layer, change, newest } = await inSnapshot(deps.db, async (queries) => {
    const row = await findRevision(queries, actor.limits, revision)
    const after = await documentOf(queries, revision)
    if (!row || !after) throw unknownRevision(revision)
    if (row.state === 'rolling')
      throw new ServiceError(
        'rollout_active',
        `Revision ${revision} is being rolled out: POST /v1/rollouts/${revision}/abort rolls it back.`,
      )
    if (row.state === 'withdrawn')
      throw new ServiceError(
        'config_conflict',
        `Revision ${revision} was rolled back: there is nothing to undo.`,
      )
    const now = await readLayer(queries, row.layerKind, row.layerName)
    const undone = undoing(await documentBefore(queries, row), after, now)
    if (!undone.ok)
      throw new ServiceError(
        'config_conflict',
        `A later revision changed ${undone.changedSince.join(', ')} too: undo that one first, or set the keys. ` +
          'GET /v1/config/revisions lists all revisions.',
      )
    return {
      layer: layerNameOf(row.layerKind, row.layerName),
      change: { set: undone.set, unset: undone.unset },
      newest: await newestRevision(queries, actor.limits),
    }
  })
  return await writeRevision(deps, actor, {
    ...rest,
    // What is undone depends on the present layer.
    base: rest.base ?? (rest.newestIn === undefined ? newest : undefined),
    ...{ layer, change },
    note: note === '' ? `undoes revision ${revision}` : note,
  })
}
