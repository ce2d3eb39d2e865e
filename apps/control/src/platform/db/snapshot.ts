/** Several reads that see the database at one moment. What is answered together must be read together. */
import type { Database, Queries } from './database.ts'

/** Runs `read` in a read-only transaction. No commit of others becomes visible in it. */
export async function inSnapshot<T>({ orm }: Database, read: (queries: Queries) => Promise<T>): Promise<T> {
  return await orm.transaction(read, { isolationLevel: 'repeatable read', accessMode: 'read only' })
}
