/** Changes one layer: a numbered revision in Postgres, then the entries of the edges that it concerns. */
import type { JsonValue } from '@imapfleet/config'
import type { LayerName, RevisionStatus } from '@imapfleet/protocol'
import type { Actor } from '../access.ts'
import { revise, type Change } from '../config/revise.ts'
import { writeAudit } from '../db/audit.ts'
import type { Queries } from '../db/database.ts'
import { listEdges, type EdgeRow } from '../db/edges.ts'
import { changeFleet } from '../db/fleet.ts'
import { insertRevision, newestRevision, readLayer } from '../db/revisions.ts'
import type { Deps } from '../deps.ts'
import { appliesTo } from '../desired/desired-of.ts'
import { ServiceError } from '../errors.ts'
import { layerText, revisionStatus, revisionView } from '../views/revision-view.ts'
import { spreadDesired } from './spread-desired.ts'

export interface RevisionInput {
  layer: LayerName
  set: Record<string, JsonValue>
  unset: string[]
  note: string
  base?: number | undefined
  dryRun: boolean
}

/** `created` is false for a dry run, and where nothing would change: then the number is the newest there is. */
export async function writeRevision(
  deps: Deps,
  actor: Actor,
  input: RevisionInput,
): Promise<{ created: boolean; status: RevisionStatus }> {
  const preview = await compute(deps.db.orm, input)
  if (input.dryRun || preview.changes.length === 0) {
    const revision = preview.changes.length === 0 ? preview.newest : preview.newest + 1
    const shown = { ...described(input, actor, preview.changes), revision, createdAt: new Date(deps.now()) }
    return { created: false, status: revisionStatus(revisionView(shown), await listEdges(deps.db.orm)) }
  }
  const row = await changeFleet(deps.db, async (queries) => {
    // Computed again: another change may have come since, and none can come now.
    const { newest, document, changes } = await compute(queries, input)
    const written = await insertRevision(queries, {
      ...described(input, actor, changes),
      revision: newest + 1,
      document,
    })
    await writeAudit(queries, {
      actor: actor.name,
      action: 'config.revise',
      target: layerText(input.layer),
      before: keyed(changes, 'before'),
      after: { revision: written.revision, note: input.note, ...keyed(changes, 'after') },
    })
    return written
  })
  await spreadDesired(deps, concernedBy(input.layer))
  return { created: true, status: revisionStatus(revisionView(row), await listEdges(deps.db.orm)) }
}

async function compute(queries: Queries, input: RevisionInput) {
  const newest = await newestRevision(queries)
  if (input.base !== undefined && input.base !== newest)
    throw new ServiceError(
      'config_conflict',
      `The change was made on revision ${input.base}, the newest is ${newest}: look at what has changed and try again.`,
    )
  const revised = revise(await readLayer(queries, input.layer.kind, nameOf(input.layer)), input)
  if (revised.ok) return { newest, document: revised.document, changes: revised.changes }
  const [first] = revised.problems
  throw new ServiceError('config_invalid', `${first?.key ?? ''} ${first?.message ?? ''}`.trim(), {
    problems: revised.problems,
  })
}

const described = ({ layer, note }: RevisionInput, actor: Actor, changes: Change[]) => ({
  layerKind: layer.kind,
  layerName: nameOf(layer),
  changes,
  note,
  createdBy: actor.name,
})

const nameOf = (layer: LayerName): string => (layer.kind === 'global' ? '' : layer.name)

const keyed = (changes: readonly Change[], side: 'before' | 'after'): Record<string, JsonValue> =>
  Object.fromEntries(changes.map((change) => [change.key, change[side]]))

const concernedBy = (layer: LayerName) => (row: EdgeRow) =>
  appliesTo({ kind: layer.kind, name: nameOf(layer) }, { edge: row.id, region: row.region })
