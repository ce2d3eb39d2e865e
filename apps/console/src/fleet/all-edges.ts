/** All edges of a fleet of any size, page by page, and how often a screen may ask for them. */
import type { ApiClient } from '@imapfleet/client'
import type { EdgeView } from '@imapfleet/api'

export interface WholeFleet {
  edges: EdgeView[]
  /** Problems of the fleet as a whole. */
  problems: string[]
}

export async function readWholeFleet(call: ApiClient['call'], signal: AbortSignal): Promise<WholeFleet> {
  const fleet: WholeFleet = { edges: [], problems: [] }
  for (let after: string | null | undefined; after !== null;) {
    const page = await call('listEdges', { query: { after }, signal })
    fleet.edges.push(...page.edges)
    fleet.problems = page.problems ?? []
    after = page.next ?? null
  }
  return fleet
}

/** A thousand edges every 2 s, more of them less often: the work of control and of the browser is bounded. */
export const pauseMs = ({ edges }: Pick<WholeFleet, 'edges'>): number => Math.max(2_000, 2 * edges.length)
