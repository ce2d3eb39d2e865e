/** The outcome of an order: a failure that names every edge that did not carry it out. */
import type { OrderView } from '@imapfleet/api'
import { Failure } from './failure.ts'

/** Throws unless all edges answered, and names every edge that failed or was silent. */
export function complainOf({ edges }: Pick<OrderView, 'edges'>): void {
  const complaints = edges
    .filter(({ status }) => status !== 'answered')
    .map(({ id, status, reason }) => `${id} ${status === 'failed' ? status : 'was silent'} (${reason})`)
  if (complaints.length > 0) throw new Failure('refused', complaints.join('; '))
}
