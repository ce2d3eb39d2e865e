/** Revocations, newest first. */
import type { RevocationRecord } from '@imapfleet/api'
import { selectRevocations } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { revocationRecord } from './revocation-view.ts'
import { pageOf } from '../../platform/db/page-of.ts'

export async function listRevocations(
  { db }: Deps,
  page: { limit: number; before?: number | undefined },
): Promise<{ revocations: RevocationRecord[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectRevocations(db.orm, asked),
    ({ sequence }) => sequence,
  )
  return { revocations: shown.map(revocationRecord), next }
}
