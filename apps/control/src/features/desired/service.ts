/**
 * The desired state of the fleet, for other features: how it is changed, distributed, and compared with what edges
 * report.
 */
export { hasApplied, statusOfRevision, statusOfRevocation, type ChangeStatus } from './applied.ts'
export { announceDesired } from './bucket.ts'
export { changeFleet } from './change-fleet.ts'
export { ownClaims, type Claims } from './claims.ts'
export { appliesTo, resolve, type LayerHead, type Rolling } from './desired-of.ts'
export { distributeDesired, reconcile } from './distribute.ts'
export { tellForeignEdges } from './restores.ts'
