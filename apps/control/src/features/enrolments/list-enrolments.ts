/** Enrolments, newest first. */
import type { EnrolmentView } from '@imapfleet/api'
import { selectEnrolments } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { enrolmentView } from './enrolment-view.ts'
import { pageOf } from '../../platform/db/page-of.ts'

export async function listEnrolments(
  { db }: Deps,
  page: { limit: number; before?: number | undefined; edge?: string | undefined },
): Promise<{ enrolments: EnrolmentView[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectEnrolments(db.orm, asked),
    ({ number }) => number,
  )
  return { enrolments: shown.map(enrolmentView), next }
}
