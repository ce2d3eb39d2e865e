/** Every order that was given, and how it went. */
import { orderTitle, type OrderView } from '@imapfleet/protocol'
import { api } from '../api/api.ts'
import { usePages } from '../api/use-pages.ts'
import { AccountBadges, targetText } from '../fleet/account.tsx'
import { Page } from '../layout/page.tsx'
import { Link } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type Column } from '../ui/table.tsx'

export function Orders() {
  const pages = usePages('orders', async (page, signal) => {
    const { orders, next } = await api.orders(page, signal)
    return { rows: orders, next }
  })
  return (
    <Page
      title="Orders"
      about="What edges were told to do once, newest first. Drains, revocations and configuration are kept apart: they last."
      actions={
        <button type="button" class="button" onClick={pages.reload}>
          Refresh
        </button>
      }
    >
      <section class="card">
        <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
          {(orders) =>
            orders.length === 0 ? (
              <Empty title="No order was given yet">
                Purge an edge on its page, or look for a user on <Link href="/users">Users</Link>: each is an
                order, and its account stands here.
              </Empty>
            ) : (
              <>
                <Table caption="Orders" columns={columns} rows={orders} keyOf={({ id }) => id} />
                <Older onClick={pages.older} />
              </>
            )
          }
        </Answered>
      </section>
    </Page>
  )
}

const columns: Column<OrderView>[] = [
  { title: 'When', kind: 'fixed', cell: ({ at }) => <Moment at={at} /> },
  {
    title: 'Order',
    kind: 'wide',
    cell: (order) => <Link href={`/orders/${order.id}`}>{orderTitle(order.action)}</Link>,
  },
  { title: 'To', kind: 'fixed', cell: ({ target }) => targetText(target) },
  { title: 'By', kind: 'fixed', cell: ({ givenBy }) => givenBy },
  { title: 'Account', kind: 'fixed', cell: (order) => <AccountBadges order={order} /> },
]
