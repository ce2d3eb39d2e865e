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
  type RevisionStatus,
  type RevisionView,
  type RolloutSettings,
} from '@imapfleet/api'
import type { z } from 'zod'
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { pageOf, type PageWish } from '../../platform/db/page-of.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import { layersByName, resolve, distributeDesired, changeFleet } from '../desired/service.ts'
import { readApplied, selectEdges } from '../edges/queries.ts'
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

/** All layers, and the newest revision. The revision is the ETag of this answer, so both are of one moment. */
export async function readConfig({ db }: Deps): Promise<z.infer<typeof configViewSchema>> {
  const { layers, revision } = await inSnapshot(db, async (queries) => ({
    layers: await listLayers(queries),
    revision: await newestRevision(queries),
  }))
  const named = layers.map(
    ({ kind, name, document }) => [layerText(layerNameOf(kind, name)), redact(document)] as const,
  )
  return {
    revision,
    layers: Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** The layers that override the file of one edge, merged. */
export async function readEdgeLayer({ db }: Deps, id: string): Promise<{ revision: number; layer: Layer }> {
  const { revision, layer } = await inSnapshot(db, async (queries) => {
    const { region } = await knownEdge(queries, id)
    return resolve(
      { edge: id, region },
      layersByName(await listLayers(queries)),
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
  page: PageWish<number>,
): Promise<{ revisions: RevisionView[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectRevisions(db.orm, asked),
    ({ revision }) => revision,
  )
  return { revisions: shown.map(revisionView), next }
}

/** One revision, and its progress on each edge. */
export async function readRevision({ db }: Deps, revision: number): Promise<RevisionStatus> {
  return await inSnapshot(db, async (queries) => {
    const row = await findRevision(queries, revision)
    if (!row) throw unknownRevision(revision)
    const concerned = edgesOf(layerNameOf(row.layerKind, row.layerName))
    return revisionStatus(row, await readApplied(queries, concerned))
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
  for (;;) {
    // Before the change, which locks the fleet: most mistakes are found here.
    const planned = await preview(deps, actor, input)
    if (planned) return { created: false, status: planned }
    const row = await store(deps, actor, input)
    if (!row) continue
    const concerned = edgesOf(input.layer)
    await distributeDesired(deps, concerned)
    return { created: true, status: revisionStatus(row, await readApplied(deps.db.orm, concerned)) }
  }
}

/** The edges that a layer applies to. */
const edgesOf = (layer: LayerName): FleetTarget => (layer.kind === 'global' ? { kind: 'all' } : layer)

/** Undefined if another request has made the same change in the meantime. */
async function store(deps: Deps, actor: Actor, input: RevisionInput): Promise<RevisionRow | undefined> {
  return await changeFleet(deps.db, async (queries) => {
    const layer = { kind: input.layer.kind, name: nameOf(input.layer) }
    await refuseWhileRolling(queries, layer, { inWaves: input.rollout !== undefined })
    const { newest, document, changes } = await compute(queries, input)
    if (changes.length === 0) return undefined
    const row = await insertRevision(queries, {
      ...described(input, actor, changes),
      revision: newest + 1,
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
  newest: number
  document: Layer
  changes: KeyChange[]
}

async function compute(queries: Queries, { layer, change, ...based }: RevisionInput): Promise<Computed> {
  const newest = await newestRevision(queries)
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
    const { newest, changes } = await compute(queries, input)
    if (!input.dryRun && changes.length > 0) return undefined
    const shown = {
      ...described(input, actor, changes),
      revision: changes.length === 0 ? newest : newest + 1,
      createdAt: new Date(now()),
      state: 'released' as const,
      version: changes.length === 0 ? await versionOf(queries, input.layer) : unissued,
    }
    const status = revisionStatus(shown, await readApplied(queries, edgesOf(input.layer)))
    if (!input.rollout) return status
    const layer = { kind: shown.layerKind, name: shown.layerName }
    return { ...status, waves: wavesFor(layer, await selectEdges(queries), input.rollout) }
  })
}

/** Above every version that an edge can have. */
const unissued = Number.MAX_SAFE_INTEGER

/** The version of the present revision of a layer; 0: it has none. */
async function versionOf(queries: Queries, layer: LayerName): Promise<number> {
  const layers = await listLayers(queries)
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
  const row = await findRevision(deps.db.orm, revision)
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
