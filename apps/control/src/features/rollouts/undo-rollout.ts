/** Rolls back a rolling revision. A new revision restores the previous state of the layer on every edge immediately. */
import { layerText, type RolloutState } from '@imapfleet/api'
import { writeAudit } from '../audit/service.ts'
import type { Queries } from '../../platform/db/database.ts'
import { findRevision, insertRevision, newestRevision, readLayer, settleRevision } from '../config/queries.ts'
import { updateRollout, type RolloutRow } from './queries.ts'
import { layerNameOf } from '../config/revision-view.ts'

export async function undoRollout(
  queries: Queries,
  { revision }: RolloutRow,
  as: Extract<RolloutState, 'rolled-back' | 'aborted'>,
  how: { by: string; reason: string; at: Date },
): Promise<void> {
  const undone = await findRevision(queries, revision)
  if (!undone) throw new Error(`revision ${revision} is missing`)
  await settleRevision(queries, revision, 'withdrawn')
  const { layerKind, layerName } = undone
  const restored = await insertRevision(queries, {
    revision: (await newestRevision(queries)) + 1,
    layerKind,
    layerName,
    // The document of the layer never became the rolling one.
    document: await readLayer(queries, layerKind, layerName),
    changes: undone.changes.map(({ before, after, ...rest }) => ({ ...rest, before: after, after: before })),
    note: `rolls back revision ${revision}: ${how.reason}`.slice(0, 1000),
    createdBy: how.by,
    state: 'released',
  })
  await updateRollout(queries, revision, {
    state: as,
    reason: how.reason.slice(0, 1000),
    undoneBy: restored.revision,
    finishedAt: how.at,
  })
  await writeAudit(queries, {
    actor: how.by,
    action: as === 'aborted' ? 'rollout.abort' : 'rollout.roll-back',
    target: layerText(layerNameOf(layerKind, layerName)),
    after: { revision, undoneBy: restored.revision, reason: how.reason },
  })
}
