/** Changes one layer: writes a numbered revision to Postgres, then the entries of the affected edges. */
import type { JsonValue, Layer } from '@imapfleet/config'
import { layerText, type LayerName, type RevisionStatus, type RolloutSettings } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import { replaced, revise, type KeyChange } from './revise.ts'
import { writeAudit } from '../audit/audit.ts'
import type { Queries } from '../../platform/db/database.ts'
import { selectEdges, type EdgeRow } from '../edges/queries.ts'
import { changeFleet } from '../desired/fleet.ts'
import { insertRevision, newestRevision, readLayer, type RevisionRow } from './queries.ts'
import { activeRollout } from '../rollouts/queries.ts'
import type { Deps } from '../../deps.ts'
import { appliesTo } from '../desired/desired-of.ts'
import { ServiceError } from '../../platform/errors.ts'
import { revisionStatus, revisionView } from './revision-view.ts'
import { distributeDesired } from '../desired/distribute-desired.ts'
import { startRollout, wavesFor } from '../rollouts/start-rollout.ts'

export interface RevisionInput {
  layer: LayerName
  /** Keys to set and to unset, or a whole layer. */
  change: { set: Record<string, JsonValue>; unset: string[] } | { document: Layer }
  note: string
  base?: number | undefined
  dryRun: boolean
  /** Undefined: all edges get the revision immediately. */
  rollout?: RolloutSettings | undefined
}

/** `created` is false for a dry run, and if nothing would change. The number is then that of the newest revision. */
export async function writeRevision(
  deps: Deps,
  actor: Actor,
  input: RevisionInput,
): Promise<{ created: boolean; status: RevisionStatus }> {
  const preview = await compute(deps.db.orm, input)
  const row = input.dryRun || preview.changes.length === 0 ? undefined : await store(deps, actor, input)
  if (!row) return { created: false, status: await previewOf(deps, actor, input, preview) }
  const layer = { kind: row.layerKind, name: row.layerName }
  await distributeDesired(deps, ({ id, region }) => appliesTo(layer, { edge: id, region }))
  return { created: true, status: revisionStatus(revisionView(row), await selectEdges(deps.db.orm)) }
}

/** Undefined if another change has already made the same change. */
async function store(deps: Deps, actor: Actor, input: RevisionInput): Promise<RevisionRow | undefined> {
  return await changeFleet(deps.db, async (queries) => {
    const rolling = await activeRollout(queries)
    if (rolling)
      throw new ServiceError(
        'rollout_active',
        `Revision ${rolling.revision} is being rolled out: wait until it is done, or abort its rollout.`,
      )
    // Computed again, because what was read before this transaction may be outdated.
    const { newest, document, changes } = await compute(queries, input)
    if (changes.length === 0) return undefined
    const row = await insertRevision(queries, {
      ...described(input, actor, changes),
      revision: newest + 1,
      document,
      state: input.rollout ? 'rolling' : 'released',
    })
    if (input.rollout) await startRollout(queries, row, input.rollout, new Date(deps.now()))
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

async function compute(queries: Queries, { layer, change, base }: RevisionInput): Promise<Computed> {
  const newest = await newestRevision(queries)
  if (base !== undefined && base !== newest)
    throw new ServiceError(
      'config_conflict',
      `The change is based on revision ${base}, but the newest is ${newest}: read the newest and try again.`,
      { newest },
    )
  const before = await readLayer(queries, layer.kind, nameOf(layer))
  const revised = 'document' in change ? replaced(before, change.document) : revise(before, change)
  if (revised.ok) return { newest, document: revised.document, changes: revised.changes }
  const { problems } = revised
  const [first] = problems
  throw new ServiceError('config_invalid', `${first?.key ?? ''} ${first?.message ?? ''}`.trim(), { problems })
}

/** The revision that would result. */
async function previewOf(
  deps: Deps,
  actor: Actor,
  input: RevisionInput,
  { newest, changes }: Computed,
): Promise<RevisionStatus> {
  const revision = changes.length === 0 ? newest : newest + 1
  const shown = {
    ...described(input, actor, changes),
    revision,
    createdAt: new Date(deps.now()),
    state: 'released' as const,
  }
  const edges: EdgeRow[] = await selectEdges(deps.db.orm)
  const status = revisionStatus(revisionView(shown), edges)
  if (!input.rollout) return status
  const layer = { kind: shown.layerKind, name: shown.layerName }
  return { ...status, waves: wavesFor(layer, edges, input.rollout) }
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
