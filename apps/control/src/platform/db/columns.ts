/** Column types that many tables share. */
import { bigint, timestamp } from 'drizzle-orm/pg-core'

export const instantColumn = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
export const countColumn = (name: string) => bigint(name, { mode: 'number' })
