/**
 * What became of an order: what each edge answered, and a failure that names every edge that did not do it. Answers are
 * written by edges, so their results are parsed here before anybody reads them.
 */
import type { OrderView } from '@imapfleet/protocol'
import type { z } from 'zod'
import { Failure } from './failure.ts'

type OrderedEdge = OrderView['edges'][number]

export interface Told<T> {
  edge: string
  region: string
  result: T
}

/** An edge whose answer is not what the order asks for has failed, whatever it says of itself. */
export function judge<S extends z.ZodType>(
  order: OrderView,
  schema: S,
): { order: OrderView; told: Told<z.infer<S>>[] } {
  const told: Told<z.infer<S>>[] = []
  const edges = order.edges.map((edge): OrderedEdge => {
    if (edge.status !== 'answered') return edge
    const parsed = schema.safeParse(edge.result)
    // An answer that control had to leave out says why.
    if (!parsed.success)
      return {
        ...edge,
        status: 'failed',
        reason: edge.reason ?? 'its answer is not understood: is it of this version?',
      }
    told.push({ edge: edge.id, region: edge.region, result: parsed.data })
    return edge
  })
  return { order: { ...order, edges }, told }
}

/** Throws, with every edge that failed or was silent by name, unless all of them have answered. */
export function complainOf({ edges }: Pick<OrderView, 'edges'>): void {
  const complaints = edges
    .filter(({ status }) => status !== 'answered')
    .map(({ id, status, reason }) => {
      const why = reason === null ? '' : ` (${reason})`
      return status === 'failed' ? `${id} failed${why}` : `${id} was silent${why}`
    })
  if (complaints.length > 0) throw new Failure('refused', complaints.join('; '))
}
