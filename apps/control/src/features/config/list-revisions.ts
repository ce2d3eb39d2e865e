/** Revisions, newest first. */
import type { RevisionView } from '@imapfleet/api'
import { selectRevisions } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { revisionView } from './revision-view.ts'
import { pageOf, type PageWish } from '../../platform/db/page-of.ts'

export async function listRevisions(
  { db }: Deps,
  page: PageWish<number>,
): Promise<{ revisions: RevisionView[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectRevisions(db.orm, asked),
    ({ revision }) => revision,
  )
  return { revisions: shown.map(revisionView), next }
}
