/** Shows that the newest reports are old. */
import type { History } from '@imapfleet/api'
import { areReportsLate } from '../fleet/late-reports.ts'
import { Moment } from '../ui/moment.tsx'
import { Note } from '../ui/note.tsx'

/** `range`: what was asked for, such as `-1h`. */
export const LateNote = ({ history, range }: { history: History; range: string }) =>
  areReportsLate(history, range) ? (
    <Note tone="warn">
      The newest reports are of <Moment at={history.to} />. Charts and their figures end there.
    </Note>
  ) : null
