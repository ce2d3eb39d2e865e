/** Kinds of columns that many tables have. */
import { bigint, timestamp } from 'drizzle-orm/pg-core'

export const instantColumn = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
export const countColumn = (name: string) => bigint(name, { mode: 'number' })
