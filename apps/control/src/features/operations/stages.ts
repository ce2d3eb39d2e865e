/** The stages of an operation, and the next step. Pure: every replica decides the same from the same facts. */
import type { StageEdge } from '@imapfleet/api'

export interface OperationStage {
  region: string
  /** The edges that were in the region when the operation began. */
  edges: string[]
}

/** One stage for each region: the named ones first, the others by name. */
export function planStages(
  edges: readonly { id: string; region: string }[],
  first: readonly string[],
): OperationStage[] {
  const byRegion = Map.groupBy(edges, ({ region }) => region)
  const others = [...byRegion.keys()].filter((region) => !first.includes(region)).sort()
  return [...new Set([...first, ...others])]
    .map((region) => ({ region, edges: (byRegion.get(region) ?? []).map(({ id }) => id).sort() }))
    .filter((stage) => stage.edges.length > 0)
}

export interface OperationProgress {
  stages: readonly OperationStage[]
  stage: number
  /** Milliseconds since 1970, as all times here. */
  stageStartedAt: number
  settledAt: number | undefined
  soakSeconds: number
  edges: readonly StageEdge[]
}

export type Step =
  /** Some edges of the stage have not done it. */
  | { kind: 'work' }
  | { kind: 'settle' }
  /** The soak time is not over. */
  | { kind: 'wait' }
  /** The soak time is over: if the edges are healthy, the next stage starts, or the operation is complete. */
  | { kind: 'advance' }
  | { kind: 'stop'; reason: string }

/** How long the edges of a stage may take. */
const stageMsMax = 60_000

export function nextStep(progress: OperationProgress, now: number): Step {
  const { stages, stage, stageStartedAt, settledAt, soakSeconds } = progress
  const byId = new Map(progress.edges.map((edge) => [edge.id, edge]))
  const current = stages[stage]?.edges ?? []
  const failed = current.map((id) => byId.get(id)).find((edge) => edge?.status === 'failed')
  if (failed) return { kind: 'stop', reason: `${failed.id} failed: ${failed.reason ?? 'no reason given'}` }
  const pending = current.find((id) => (byId.get(id)?.status ?? 'pending') === 'pending')
  if (pending !== undefined)
    return now - stageStartedAt > stageMsMax
      ? { kind: 'stop', reason: `${pending} did not finish within ${stageMsMax / 1000} s` }
      : { kind: 'work' }
  if (settledAt === undefined) return { kind: 'settle' }
  return now - settledAt < soakSeconds * 1000 ? { kind: 'wait' } : { kind: 'advance' }
}
