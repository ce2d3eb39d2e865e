/** A region: its figures and its edges. */
import type { EdgeView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { findingsOfEdge } from '../fleet/findings.ts'
import { chosenRange, historyWindow } from '../fleet/range.ts'
import {
  trafficText,
  loginsAvoided,
  noTraffic,
  reuseShare,
  sessionRate,
  trafficMetrics,
  trafficOf,
  type Traffic,
} from '../fleet/traffic.ts'
import { amountOf } from '../format/number.ts'
import { Card } from '../ui/card.tsx'
import { Note } from '../ui/note.tsx'
import { Table } from '../ui/table.tsx'
import { edgeColumns } from './overview-columns.tsx'

interface RegionProps {
  region: string
  edges: readonly EdgeView[]
  /** Of all its edges together; undefined while it is loading. */
  traffic: Traffic | undefined
  isOpenAtFirst: boolean
}

export function Region({ region, edges, traffic, isOpenAtFirst }: RegionProps) {
  const [isOpen, setOpen] = useState(isOpenAtFirst)
  const shown = isOpen ? edges : edges.filter((edge) => findingsOfEdge(edge, new Date()).length > 0)
  const hidden = edges.length - shown.length
  return (
    <Card
      title={region}
      about={[
        amountOf(edges.length, 'edge'),
        `${trafficText(traffic, sessionRate)} sessions/s`,
        `${trafficText(traffic, reuseShare)} reused`,
        `${trafficText(traffic, loginsAvoided)} logins avoided`,
      ].join(' · ')}
      actions={
        hidden === 0 ? undefined : (
          <button type="button" class="button small" onClick={() => setOpen(true)}>
            Show {amountOf(hidden, shown.length > 0 ? 'other edge' : 'edge')}
          </button>
        )
      }
    >
      {shown.length > 0 && <Edges region={region} edges={shown} />}
    </Card>
  )
}

function Edges({ region, edges }: { region: string; edges: readonly EdgeView[] }) {
  const range = chosenRange()
  const { data, problem } = useAnswer(
    `traffic ${region} ${range}`,
    (signal) =>
      call('readHistory', {
        query: { metrics: trafficMetrics.join(','), ...historyWindow(range), groupBy: 'edge', region },
        signal,
      }),
    { everyMs: 10_000 },
  )
  const byEdge = trafficOf(data)
  const rows = edges.map((edge) => ({ edge, traffic: byEdge && (byEdge.get(edge.id) ?? noTraffic) }))
  return (
    <>
      {problem && (
        <Note tone="warn">The figures of the edges could not be loaded. {sentenceOf(problem)}</Note>
      )}
      <Table caption={`Edges in ${region}`} columns={edgeColumns} rows={rows} keyOf={({ edge }) => edge.id} />
    </>
  )
}
