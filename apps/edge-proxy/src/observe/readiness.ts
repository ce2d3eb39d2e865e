/** Why an edge is not ready for clients, for `/readyz` and `doctor`. */
import type { EdgeStats } from '@imapfleet/protocol'

/**
 * Empty: the edge is ready. Mail is served without the fleet, so an edge without a connection to it is ready. An edge that cannot
 * save the desired state, and would lose it at a restart, is not ready.
 */
export const missingForReady = ({ state, fleet }: Pick<EdgeStats, 'state' | 'fleet'>): string[] => [
  ...(state === 'serving' ? [] : [`the edge is ${state}`]),
  ...(fleet?.unsaved === undefined ? [] : [fleet.unsaved]),
]
