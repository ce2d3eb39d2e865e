/** Why an edge is not ready for clients, as `/readyz` and `doctor` tell it. */
import type { EdgeStats } from '@imapfleet/protocol'

/**
 * Empty: it is ready. Mail is served without the fleet, so an edge without it is ready. One that would lose what the fleet
 * wants at its next restart is not.
 */
export const missingForReady = ({ state, fleet }: Pick<EdgeStats, 'state' | 'fleet'>): string[] => [
  ...(state === 'serving' ? [] : [`the edge is ${state}`]),
  ...(fleet?.unsaved === undefined ? [] : [fleet.unsaved]),
]
