/** All orders with their outcome. */
import type { FleetTarget, OrderSummary } from '@imapfleet/api'
import { orderTitle } from '@imapfleet/protocol'
import { call } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { AccountBadges, targetWords } from '../fleet/account.tsx'
import { Page } from '../layout/page.tsx'
import { PageLink } from '../router/link.tsx'
import { search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Moment } from '../ui/moment.tsx'
import { Operations } from './operations.tsx'
import { Older } from '../ui/older.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { WithRight } from '../ui/with-right.tsx'

export function OrdersPage() {
  // The page of an edge links here with its name.
  const edge = search.value.get('edge') ?? ''
  const pages = usePages('orders', async (page, signal) => {
    const { orders, next } = await call('listOrders', { query: page, signal })
    return { rows: orders, next }
  })
  return (
    <Page
      title="Orders"
      about="One-time commands to edges, newest first. Drains, revocations and configuration stay in effect, so they are not orders and are not listed here."
      actions={
        <>
          {edge !== '' && (
            <PageLink class="button" href="/orders">
              All orders, not only those to {edge}
            </PageLink>
          )}
          <button type="button" class="button" onClick={pages.reload}>
            Refresh
          </button>
        </>
      }
    >
      <section class="card">
        <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
          {(all) => {
            const orders = edge === '' ? all : all.filter(({ target }) => isOnly(target, edge))
            if (edge !== '' && orders.length === 0)
              return (
                <Empty title={`No recent order went to ${edge} alone`}>
                  <PageLink href="/orders">Show all orders</PageLink>
                </Empty>
              )
            return orders.length === 0 ? (
              <Empty title="No orders yet">
                {' '}
                Purge an edge on its page, or look for a user on <PageLink href="/users">Users</PageLink>.
                Each of these is an order and is listed here.
              </Empty>
            ) : (
              <>
                <Table caption="Orders" columns={columns} rows={orders} keyOf={({ id }) => id} />
                <Older onClick={pages.older} />
              </>
            )
          }}
        </Answered>
      </section>
      <WithRight to="listOperations">
        <Operations />
      </WithRight>
    </Page>
  )
}

const isOnly = (target: FleetTarget, edge: string) => target.kind === 'edge' && target.name === edge

const columns: TableColumn<OrderSummary>[] = [
  { title: 'When', kind: 'fixed', cell: ({ at }) => <Moment at={at} /> },
  {
    title: 'Order',
    kind: 'wide',
    cell: (order) => <PageLink href={`/orders/${order.id}`}>{orderTitle(order.action)}</PageLink>,
  },
  { title: 'To', kind: 'fixed', cell: ({ target }) => targetWords(target) },
  { title: 'By', kind: 'fixed', cell: ({ givenBy }) => givenBy },
  { title: 'Answers', kind: 'fixed', cell: (order) => <AccountBadges order={order} /> },
]
