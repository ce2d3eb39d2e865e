/** Configuration: the present document of each layer, and all revisions. */
import type { Layer } from '@imapfleet/config'
import type { AccessLimits } from '@imapfleet/api'
import { and, between, desc, eq, getTableColumns, lt, max, sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { withinRegions } from '../../platform/db/within.ts'
import { edges } from '../edges/table.ts'
import { layers, revisions } from './table.ts'

export type LayerRow = typeof layers.$inferSelect & Pick<RevisionRow, 'version'>
export type RevisionRow = Omit<typeof revisions.$inferSelect, 'document'>
export type NewRevision = Omit<typeof revisions.$inferInsert, 'createdAt'>

/** All columns except the document, which has secrets. */
const listed = {
  revision: revisions.revision,
  layerKind: revisions.layerKind,
  layerName: revisions.layerName,
  changes: revisions.changes,
  note: revisions.note,
  state: revisions.state,
  version: revisions.version,
  createdBy: revisions.createdBy,
  createdAt: revisions.createdAt,
}

/** The layer is of a region within the limits, or of an edge in one. Undefined: every layer is. */
export function withinLayers(limits: AccessLimits, kind: SQLWrapper, name: SQLWrapper): SQL | undefined {
  const region = withinRegions(limits, name)
  const itsEdge = withinRegions(limits, edges.region)
  return (
    region &&
    sql`(${kind} = 'region' and ${region}
      or ${kind} = 'edge' and exists (select from ${edges} where ${edges.id} = ${name} and ${itsEdge}))`
  )
}

export async function listLayers(queries: Queries, limits: AccessLimits): Promise<LayerRow[]> {
  return await queries
    .select({ ...getTableColumns(layers), version: revisions.version })
    .from(layers)
    .innerJoin(revisions, eq(revisions.revision, layers.revision))
    .where(withinLayers(limits, layers.kind, layers.name))
}

export async function readLayer(queries: Queries, kind: LayerRow['kind'], name: string): Promise<Layer> {
  const [row] = await queries
    .select({ document: layers.document })
    .from(layers)
    .where(and(eq(layers.kind, kind), eq(layers.name, name)))
  return row?.document ?? {}
}

/** The newest one within the limits. 0: there are none yet. */
export async function newestRevision(queries: Queries, limits: AccessLimits): Promise<number> {
  const [row] = await queries
    .select({ newest: max(revisions.revision) })
    .from(revisions)
    .where(ofLayerWithin(limits))
  return row?.newest ?? 0
}

const ofLayerWithin = (limits: AccessLimits): SQL | undefined =>
  withinLayers(limits, revisions.layerKind, revisions.layerName)

/** Stores a revision. If it is released, it also becomes the document of its layer. */
export async function insertRevision(queries: Queries, revision: NewRevision): Promise<RevisionRow> {
  const [row] = await queries.insert(revisions).values(revision).returning(listed)
  if (!row) throw new Error('the revision was not written')
  if (row.state === 'released') await setLayer(queries, row, revision.document)
  return row
}

/** Ends a rolling revision: it becomes the document of its layer, or it is withdrawn. */
export async function settleRevision(
  queries: Queries,
  revision: number,
  state: 'released' | 'withdrawn',
): Promise<void> {
  const [row] = await queries
    .update(revisions)
    .set({ state })
    .where(eq(revisions.revision, revision))
    .returning()
  if (row && state === 'released') await setLayer(queries, row, row.document)
}

async function setLayer(
  queries: Queries,
  { layerKind, layerName, revision }: Pick<RevisionRow, 'layerKind' | 'layerName' | 'revision'>,
  document: Layer,
): Promise<void> {
  await queries
    .insert(layers)
    .values({ kind: layerKind, name: layerName, revision, document })
    .onConflictDoUpdate({ target: [layers.kind, layers.name], set: { revision, document } })
}

/** With secrets: for edges and for the next revision, never for an answer of the API. */
export async function documentOf(queries: Queries, revision: number): Promise<Layer | undefined> {
  const [row] = await queries
    .select({ document: revisions.document })
    .from(revisions)
    .where(eq(revisions.revision, revision))
  return row?.document
}

/** What the layer of this revision was before it, with secrets. */
export async function documentBefore(
  queries: Queries,
  { layerKind, layerName, revision }: Pick<RevisionRow, 'layerKind' | 'layerName' | 'revision'>,
): Promise<Layer> {
  const [row] = await queries
    .select({ document: revisions.document })
    .from(revisions)
    .where(
      and(
        eq(revisions.layerKind, layerKind),
        eq(revisions.layerName, layerName),
        eq(revisions.state, 'released'),
        lt(revisions.revision, revision),
      ),
    )
    .orderBy(desc(revisions.revision))
    .limit(1)
  return row?.document ?? {}
}

/** Newest first. */
export async function selectRevisions(
  queries: Queries,
  limits: AccessLimits,
  page: { limit: number; before?: number | undefined },
): Promise<RevisionRow[]> {
  return await queries
    .select(listed)
    .from(revisions)
    .where(
      and(ofLayerWithin(limits), page.before === undefined ? undefined : lt(revisions.revision, page.before)),
    )
    .orderBy(desc(revisions.revision))
    .limit(page.limit)
}

/** Newest first. */
export async function selectRevisionsBetween(
  queries: Queries,
  limits: AccessLimits,
  from: Date,
  to: Date,
): Promise<RevisionRow[]> {
  return await queries
    .select(listed)
    .from(revisions)
    .where(and(ofLayerWithin(limits), between(revisions.createdAt, from, to)))
    .orderBy(desc(revisions.revision))
    .limit(betweenMax)
}

/** More would explain nothing. */
const betweenMax = 100

export async function findRevision(
  queries: Queries,
  limits: AccessLimits,
  revision: number,
): Promise<RevisionRow | undefined> {
  const [row] = await queries
    .select(listed)
    .from(revisions)
    .where(and(eq(revisions.revision, revision), ofLayerWithin(limits)))
  return row
}
