/** Restores a layer to its state after an older revision. The result is a new revision. */
import type { RevisionStatus, RolloutSettings } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import { documentOf, findRevision } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { layerNameOf } from './revision-view.ts'
import { unknownRevision } from './read-revision.ts'
import { writeRevision } from './write-revision.ts'

export interface RestoreInput {
  revision: number
  note: string
  base?: number | undefined
  dryRun: boolean
  rollout?: RolloutSettings | undefined
}

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
