/** Sends an order and shows its outcome as a toast, with a link to the answers. */
import { type OrderRequest } from '@imapfleet/api'
import { orderTitle } from '@imapfleet/protocol'
import { newId } from '@imapfleet/client'
import { call } from '../api/client.ts'
import { PageLink } from '../router/link.tsx'
import { tell } from '../ui/toast.tsx'
import { summaryOf } from './account.tsx'

export async function placeOrder(request: OrderRequest): Promise<void> {
  const order = await call('giveOrder', { body: { ...request, id: newId() } })
  const { tone, text } = summaryOf(order)
  tell(
    tone,
    <>
      <strong>{orderTitle(order.action)}</strong>
      <p>
        {text} <PageLink href={`/orders/${order.id}`}>Answers</PageLink>
      </p>
    </>,
  )
}
