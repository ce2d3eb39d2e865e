/** Configuration: each layer's document now, and every revision that led there. */
import type { Layer } from '@imapfleet/config'
import { and, desc, eq, lt, max } from 'drizzle-orm'
import type { Queries } from './database.ts'
import { layers, revisions } from './schema.ts'

export type LayerRow = typeof layers.$inferSelect
export type RevisionRow = Omit<typeof revisions.$inferSelect, 'document'>
export type NewRevision = Omit<typeof revisions.$inferInsert, 'createdAt'>

/** All but the document, which holds secrets. */
const listed = {
  revision: revisions.revision,
  layerKind: revisions.layerKind,
  layerName: revisions.layerName,
  changes: revisions.changes,
  note: revisions.note,
  createdBy: revisions.createdBy,
  createdAt: revisions.createdAt,
}

export async function listLayers(queries: Queries): Promise<LayerRow[]> {
  return await queries.select().from(layers)
}

export async function readLayer(queries: Queries, kind: LayerRow['kind'], name: string): Promise<Layer> {
  const [row] = await queries
    .select({ document: layers.document })
    .from(layers)
    .where(and(eq(layers.kind, kind), eq(layers.name, name)))
  return row?.document ?? {}
}

/** 0 while nothing was ever set. */
export async function newestRevision(queries: Queries): Promise<number> {
  const [row] = await queries.select({ newest: max(revisions.revision) }).from(revisions)
  return row?.newest ?? 0
}

export async function insertRevision(queries: Queries, revision: NewRevision): Promise<RevisionRow> {
  const [row] = await queries.insert(revisions).values(revision).returning(listed)
  if (!row) throw new Error('the revision was not written')
  const layer = { revision: revision.revision, document: revision.document }
  await queries
    .insert(layers)
    .values({ kind: revision.layerKind, name: revision.layerName, ...layer })
    .onConflictDoUpdate({ target: [layers.kind, layers.name], set: layer })
  return row
}

/** Newest first. */
export async function listRevisions(
  queries: Queries,
  page: { limit: number; before?: number | undefined },
): Promise<RevisionRow[]> {
  return await queries
    .select(listed)
    .from(revisions)
    .where(page.before === undefined ? undefined : lt(revisions.revision, page.before))
    .orderBy(desc(revisions.revision))
    .limit(page.limit)
}

export async function findRevision(queries: Queries, revision: number): Promise<RevisionRow | undefined> {
  const [row] = await queries.select(listed).from(revisions).where(eq(revisions.revision, revision))
  return row
}
