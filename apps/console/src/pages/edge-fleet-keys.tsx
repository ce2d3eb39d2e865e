/** The configuration that the fleet gives an edge: each key with the layer that sets it. */
import type { EdgeView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { leavesOf, textOf } from '../fleet/draft.ts'
import { keysOf } from '../fleet/layer-keys.ts'
import { chainOf } from '../fleet/layer.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Card } from '../ui/card.tsx'
import { Empty } from '../ui/state.tsx'
import { Table } from '../ui/table.tsx'

const everyMs = 10_000

export function FleetKeys({ edge: { id, region } }: { edge: EdgeView }) {
  const answer = useAnswer(
    `configuration of ${id}`,
    async (signal) => {
      const [{ layers }, resolved] = await Promise.all([
        call('readConfig', { signal }),
        call('resolveConfig', { query: { edge: id }, signal }),
      ])
      return { layers, ...resolved }
    },
    { everyMs },
  )
  return (
    <Card
      title="Configuration from the fleet"
      about={
        answer.data &&
        `As of revision ${answer.data.revision}. Keys that are not listed are set in the edge’s own file, or have their defaults.`
      }
    >
      <Answered answer={answer}>
        {({ layers, layer, revision }) => {
          const origins = new Map(
            keysOf(layers, chainOf({ kind: 'edge', name: id }, region)).map((known) => [known.key, known]),
          )
          const rows = leavesOf(layer)
            .map(({ key, value }) => ({ key, value, origin: origins.get(key) }))
            .sort((one, other) => (one.key < other.key ? -1 : 1))
          return rows.length === 0 ? (
            <Empty title="The fleet sets no key of this edge">
              Its own file and the defaults apply. <code>imapfleet config set KEY VALUE --edge {id}</code>{' '}
              overrides them.
            </Empty>
          ) : (
            <Table
              caption={`Configuration of ${id}`}
              rows={rows}
              keyOf={({ key }) => key}
              columns={[
                { title: 'Key', kind: 'head', cell: ({ key }) => <code>{key}</code> },
                { title: 'Value', kind: 'wide', cell: ({ value }) => <code>{textOf(value)}</code> },
                {
                  title: 'From',
                  kind: 'fixed',
                  cell: ({ value, origin }) =>
                    // A revision that is being rolled out is not in the layers yet.
                    origin === undefined || textOf(origin.value) !== textOf(value) ? (
                      <PageLink href={`/config/${revision}`}>revision {revision}, in its rollout</PageLink>
                    ) : (
                      <PageLink href={`/config?layer=${encodeURIComponent(origin.from)}`}>
                        {origin.from}
                      </PageLink>
                    ),
                },
              ]}
            />
          )
        }}
      </Answered>
    </Card>
  )
}
