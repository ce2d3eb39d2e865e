/**
 * The configuration that the fleet sets: its layers, and the revisions that changed them. Answers never contain secrets.
 * Only edges get those, through the desired state.
 */
import {
  describeKeys,
  detectFormat,
  type JsonValue,
  type Layer,
  layerFromImapproxyConf,
  redact,
} from '@imapfleet/config'
import {
  type ConfigKey,
  type configViewSchema,
  type ConfReport,
  type FleetTarget,
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
  documentOf,
  findRevision,
  insertRevision,
  listLayers,
  newestRevision,
  readLayer,
  type RevisionRow,
  selectRevisions,
} from './queries.ts'
import { type KeyChange, replaced, revise } from './revise.ts'
import { layerNameOf, revisionStatus, revisionView } from './revision-view.ts'

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

/** The layers that override the file of one edge, merged. The global one is among them: it is in force on the edge. */
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

/** One revision, and its progress on each edge. */
export async function readRevision(
  { db }: Deps,
  limits: AccessLimits,
  revision: number,
): Promise<RevisionStatus> {
  return await inSnapshot(db, async (queries) => {
    const row = await findRevision(queries, limits, revision)
    if (!row) throw unknownRevision(revision)
    const concerned = edgesOf(layerNameOf(row.layerKind, row.layerName))
    return revisionStatus(row, await readApplied(queries, limits, concerned))
  })
}

const unknownRevision = (revision: number): ServiceError =>
  new ServiceError(
    'revision_unknown',
    `No revision has the number ${revision}: GET /v1/config/revisions lists all revisions.`,
  )

export interface RevisionInput {
  layer: LayerName
  /** Keys to set and to unset, or a whole layer. */
  change: { set: Record<string, JsonValue>; unset: string[] } | { document: Layer }
  note: string
  base?: number | undefined
  /** The newest revision must be one of these. */
  newestIn?: readonly number[] | undefined
  dryRun: boolean
  /** Undefined: all edges get the revision immediately. */
  rollout?: RolloutSettings | undefined
}

/**
 * Changes one layer: writes a revision to Postgres, then the desired states of the affected edges. `created` is false
 * for a dry run, and if nothing would change. The number is then that of the newest revision.
 */
export async function writeRevision(
  deps: Deps,
  actor: Actor,
  input: RevisionInput,
): Promise<{ created: boolean; status: RevisionStatus }> {
  await needsLayer(deps.db.orm, actor, input.layer)
  for (;;) {
    // Before the change, which locks the fleet: most mistakes are found here.
    const planned = await preview(deps, actor, input)
    if (planned) return { created: false, status: planned }
    const row = await store(deps, actor, input)
    if (!row) continue
    const concerned = edgesOf(input.layer)
    await distributeDesired(deps, concerned)
    const applied = await readApplied(deps.db.orm, actor.limits, concerned)
    return { created: true, status: revisionStatus(row, applied) }
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

/** The edges that a layer applies to. */
const edgesOf = (layer: LayerName): FleetTarget => (layer.kind === 'global' ? { kind: 'all' } : layer)

/** Undefined if another request has made the same change in the meantime. */
async function store(deps: Deps, actor: Actor, input: RevisionInput): Promise<RevisionRow | undefined> {
  return await changeFleet(deps.db, async (queries) => {
    const layer = { kind: input.layer.kind, name: nameOf(input.layer) }
    await refuseWhileRolling(queries, actor, layer, { inWaves: input.rollout !== undefined })
    const { document, changes } = await compute(queries, actor, input)
    if (changes.length === 0) return undefined
    const row = await insertRevision(queries, {
      ...described(input, actor, changes),
      revision: (await newestRevision(queries, noLimits)) + 1,
      document,
      state: input.rollout ? 'rolling' : 'released',
    })
    if (input.rollout) await startRollout(queries, row, input.rollout, actor)
    await writeAudit(queries, {
      actor: actor.name,
      action: 'config.revise',
      target: layerText(input.layer),
      before: keyed(changes, 'before'),
      after: { revision: row.revision, note: input.note, ...keyed(changes, 'after') },
    })
    return row
  })
}

interface Computed {
  /** Within the limits. */
  newest: number
  document: Layer
  changes: KeyChange[]
}

async function compute(
  queries: Queries,
  { limits }: Actor,
  { layer, change, ...based }: RevisionInput,
): Promise<Computed> {
  const newest = await newestRevision(queries, limits)
  refuseOutdated(based, newest)
  const before = await readLayer(queries, layer.kind, nameOf(layer))
  const revised = 'document' in change ? replaced(before, change.document) : revise(before, change)
  if (revised.ok) return { newest, document: revised.document, changes: revised.changes }
  const { problems } = revised
  const [first] = problems
  throw new ServiceError('config_invalid', `${first?.key ?? ''} ${first?.message ?? ''}`.trim(), { problems })
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

/** The revision that would result, of a dry run or if nothing would change. Otherwise undefined: it is to be stored. */
async function preview(
  { db, now }: Deps,
  actor: Actor,
  input: RevisionInput,
): Promise<RevisionStatus | undefined> {
  return await inSnapshot(db, async (queries) => {
    const { newest, changes } = await compute(queries, actor, input)
    if (!input.dryRun && changes.length > 0) return undefined
    const shown = {
      ...described(input, actor, changes),
      revision: changes.length === 0 ? newest : (await newestRevision(queries, noLimits)) + 1,
      createdAt: new Date(now()),
      state: 'released' as const,
      version: changes.length === 0 ? await versionOf(queries, input.layer) : unissued,
    }
    const status = revisionStatus(shown, await readApplied(queries, actor.limits, edgesOf(input.layer)))
    if (!input.rollout) return status
    const layer = { kind: shown.layerKind, name: shown.layerName }
    return { ...status, waves: wavesFor(layer, await selectEdges(queries, actor.limits), input.rollout) }
  })
}

/** Above every version that an edge can have. */
const unissued = Number.MAX_SAFE_INTEGER

/** The version of the present revision of a layer; 0: it has none. */
async function versionOf(queries: Queries, layer: LayerName): Promise<number> {
  const layers = await listLayers(queries, noLimits)
  return layers.find(({ kind, name }) => kind === layer.kind && name === nameOf(layer))?.version ?? 0
}

const described = ({ layer, note }: RevisionInput, actor: Actor, changes: KeyChange[]) => ({
  layerKind: layer.kind,
  layerName: nameOf(layer),
  changes,
  note,
  createdBy: actor.name,
})

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
