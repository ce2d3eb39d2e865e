/** What became of an order: a failure that names every edge that did not do it. */
import type { OrderView } from '@imapfleet/protocol'
import { Failure } from './failure.ts'

/** Throws, with every edge that failed or was silent by name, unless all of them have answered. */
export function complainOf({ edges }: Pick<OrderView, 'edges'>): void {
  const complaints = edges
    .filter(({ status }) => status !== 'answered')
    .map(({ id, status, reason }) => `${id} ${status === 'failed' ? status : 'was silent'} (${reason})`)
  if (complaints.length > 0) throw new Failure('refused', complaints.join('; '))
}
