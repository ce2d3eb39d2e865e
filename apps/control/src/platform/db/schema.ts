/**
 * All tables. `drizzle-kit generate` makes the migrations in apps/control/drizzle from this file. The partitioning of
 * `reports` and the rollups was added there by hand, because drizzle does not support it.
 */
export * from '../../features/access/table.ts'
export * from '../../features/alerts/table.ts'
export * from '../../features/audit/table.ts'
export * from '../../features/config/table.ts'
export * from '../../features/desired/table.ts'
export * from '../../features/edges/table.ts'
export * from '../../features/enrolments/table.ts'
export * from '../../features/history/table.ts'
export * from '../../features/operations/table.ts'
export * from '../../features/orders/table.ts'
export * from '../../features/people/table.ts'
export * from '../../features/refusals/table.ts'
export * from '../../features/revocations/table.ts'
export * from '../../features/rollouts/table.ts'
export * from '../../features/traces/table.ts'
export * from '../http/idempotency-table.ts'
export * from '../ticks/table.ts'
export * from './write-test-table.ts'
