/** One order, with the answer of each edge. */
import type { OrderedEdge, OrderView, PathParams } from '@imapfleet/api'
import { orderTitle } from '@imapfleet/protocol'
import { readWholeOrder } from '@imapfleet/client'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { AccountBadges, EdgeStatus, resultText, targetWords } from '../fleet/account.tsx'
import { worstFirst } from '../fleet/worst-first.ts'
import { Page } from '../layout/page.tsx'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Card } from '../ui/card.tsx'
import { Facts } from '../ui/facts.tsx'
import { Moment } from '../ui/moment.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'

export function OrderPage({ id = '' }: PathParams) {
  const answer = useAnswer(`order ${id}`, (signal) => readWholeOrder({ call }, id, { signal }))
  return (
    <Page
      title="Order"
      about={answer.data ? orderTitle(answer.data.action) : undefined}
      actions={
        <PageLink class="button" href="/orders">
          All orders
        </PageLink>
      }
    >
      <Answered answer={answer}>
        {(order) => (
          <>
            <Card title="Details">
              <div class="card-body">
                <Facts rows={factsOf(order)} />
              </div>
            </Card>
            <Card title="Edges" actions={<AccountBadges order={order} />}>
              {order.edges.length === 0 ? (
                <Empty title="No edges">The target had no edges when the order was sent.</Empty>
              ) : (
                <Table
                  caption="Answer of each edge"
                  columns={columnsOf(order)}
                  rows={worstFirst(order.edges)}
                  keyOf={({ id: edge }) => edge}
                />
              )}
            </Card>
          </>
        )}
      </Answered>
    </Page>
  )
}

const factsOf = (order: OrderView) =>
  [
    ['Order', orderTitle(order.action)],
    ['To', targetWords(order.target)],
    ['By', order.givenBy],
    ['At', <Moment at={order.at} />],
    [
      'Took',
      order.finishedAt === null
        ? 'still waiting for edges'
        : `${Date.parse(order.finishedAt) - Date.parse(order.at)} ms`,
    ],
    ['Id', <code>{order.id}</code>],
  ] as const

const columnsOf = (order: OrderView): TableColumn<OrderedEdge>[] => [
  {
    title: 'Edge',
    kind: 'head',
    cell: ({ id }) => <PageLink href={`/edges/${encodeURIComponent(id)}`}>{id}</PageLink>,
  },
  { title: 'Region', kind: 'fixed', cell: ({ region }) => region },
  { title: 'Status', kind: 'fixed', cell: (edge) => <EdgeStatus edge={edge} /> },
  { title: 'Answer', kind: 'wide', cell: (edge) => edge.reason ?? resultText(order, edge) },
]
