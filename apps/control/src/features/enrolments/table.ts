/** The table of credentials for NATS. */
import { bigserial, index, pgTable, text } from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'

/** All credentials for NATS that were issued to edges. The credential itself is not stored. */
export const enrolments = pgTable(
  'enrolments',
  {
    /** Increases in the order of issue: the cursor of the list. */
    number: bigserial('number', { mode: 'number' }).notNull().unique(),
    /** The public key of the credential. */
    key: text('key').primaryKey(),
    edge: text('edge').notNull(),
    region: text('region').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull(),
    /** Empty: it does not expire. */
    expiresAt: instantColumn('expires_at'),
    revokedBy: text('revoked_by'),
    revokedAt: instantColumn('revoked_at'),
    /** When NATS stored the revocation. From then on the credential is refused. */
    enforcedAt: instantColumn('enforced_at'),
  },
  (table) => [index('enrolments_edge').on(table.edge)],
)
