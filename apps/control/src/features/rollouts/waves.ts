/** The waves of a rollout: first the canaries, then region by region. */
import type { RolloutSettings } from '@imapfleet/api'

export interface Wave {
  name: string
  edges: string[]
}

interface Candidate {
  id: string
  region: string
}

/** Each edge is in exactly one wave. Waves without edges are left out. */
export function planWaves(
  edges: readonly Candidate[],
  settings: Pick<RolloutSettings, 'canaryEdges' | 'canaryPercent' | 'regions'>,
): Wave[] {
  const canaries = canariesOf(edges, settings)
  const later = edges.filter(({ id }) => !canaries.has(id))
  const byRegion = Map.groupBy(later, ({ region }) => region)
  const unnamed = [...byRegion.keys()].filter((region) => !settings.regions.includes(region)).sort()
  const idsOf = (wave: readonly Candidate[]) => wave.map(({ id }) => id).sort()
  return [
    { name: 'canary', edges: [...canaries].sort() },
    ...[...new Set([...settings.regions, ...unnamed])].map((region) => ({
      name: region,
      edges: idsOf(byRegion.get(region) ?? []),
    })),
  ].filter((wave) => wave.edges.length > 0)
}

/** The named edges, then edges from each region in turn, so that the canaries represent all regions. */
function canariesOf(
  edges: readonly Candidate[],
  { canaryEdges, canaryPercent }: Pick<RolloutSettings, 'canaryEdges' | 'canaryPercent'>,
): Set<string> {
  const named = edges.filter(({ id }) => canaryEdges.includes(id)).map(({ id }) => id)
  const wanted = Math.ceil((edges.length * canaryPercent) / 100)
  const byRegion = [...Map.groupBy(edges, ({ region }) => region).values()].map((its) =>
    its.map(({ id }) => id).sort(),
  )
  const inTurn = Array.from({ length: Math.max(0, ...byRegion.map((its) => its.length)) }, (_, round) =>
    byRegion.flatMap((its) => its.slice(round, round + 1)),
  ).flat()
  const canaries = new Set(named)
  for (const id of inTurn) if (canaries.size < wanted) canaries.add(id)
  return canaries
}
