/** Gives an order and tells in the corner what became of it, with the way to its account. */
import type { OrderRequest, OrderView } from '@imapfleet/protocol'
import { api } from '../api/api.ts'
import { newId } from '../api/new-id.ts'
import { Link } from '../router/link.tsx'
import { tell } from '../ui/toast.tsx'
import { actionText, summaryOf } from './account.tsx'

export async function giveOrder(request: OrderRequest): Promise<OrderView> {
  const order = await api.order({ ...request, id: newId() })
  const { tone, text } = summaryOf(order)
  tell(
    tone,
    <>
      <strong>{actionText(order.action)}</strong>
      <p>
        {text} <Link href={`/orders/${order.id}`}>Account</Link>
      </p>
    </>,
  )
  return order
}
