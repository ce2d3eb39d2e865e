/** All edges in one table: filtered, sorted, problems first. The selection is in the address. */
import type { EdgeView } from '@imapfleet/api'
import { call, sentenceOf } from '../api/client.ts'
import { outage } from '../api/outage.ts'
import { useAnswer } from '../api/use-answer.ts'
import {
  edgeFigureMetrics,
  edgeRowsOf,
  figuresOf,
  figureWindow,
  firstOrder,
  matchingRows,
  sortedRows,
  sortKeys,
  type EdgeFilter,
  type TableEdge,
  type SortKey,
  type SortOrder,
} from '../fleet/edge-rows.ts'
import { findingWords, type FindingKind } from '../fleet/findings.ts'
import { amountOf, countOf, loading } from '../format/number.ts'
import { choose, search } from '../router/location.ts'
import { LongTable } from '../ui/long-table.tsx'
import { Note } from '../ui/note.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { Select } from '../ui/select.tsx'
import { Empty } from '../ui/state.tsx'
import { edgeColumns } from './overview-columns.tsx'

const everyMs = 10_000

interface EdgesProps {
  edges: readonly EdgeView[]
  /** There are more, which have not arrived yet. */
  isPartial: boolean
}

export function OverviewEdges({ edges, isPartial }: EdgesProps) {
  const { data, problem } = useAnswer(
    'figures of edges',
    (signal) =>
      call('readHistory', {
        query: {
          metrics: edgeFigureMetrics.join(','),
          from: figureWindow.from,
          step: figureWindow.step,
          groupBy: 'edge',
        },
        signal,
      }),
    { everyMs },
  )
  const rows = edgeRowsOf(edges, data && figuresOf(data), new Date())
  const filter = filterIn(search.value)
  const order = orderIn(search.value)
  const shown = sortedRows(matchingRows(rows, filter), order)
  const isFiltered = Object.values(filter).some((value) => value !== '')
  return (
    <section class="card edges" aria-label="Edges">
      <Filters
        rows={isPartial ? undefined : rows}
        filter={filter}
        order={order}
        shown={shown.length}
        isFiltered={isFiltered}
      />
      {problem && !outage.value && (
        <Note tone="warn">The figures of the edges could not be loaded. {sentenceOf(problem)}</Note>
      )}
      {shown.length === 0 ? (
        <Empty title="No edge matches">
          <button type="button" class="button" onClick={clear}>
            Show all {amountOf(edges.length, 'edge')}
          </button>
        </Empty>
      ) : (
        <LongTable
          caption={`Edges; rates and latency of the last ${figureWindow.words}`}
          columns={edgeColumns}
          rows={shown}
          keyOf={({ edge }) => edge.id}
          sort={order}
          onSort={(key) =>
            sortBy(key === order.key ? { key, isDescending: !order.isDescending } : firstOrder(key))
          }
        />
      )}
    </section>
  )
}

function Filters({
  rows: known,
  filter,
  order,
  shown,
  isFiltered,
}: {
  /** Undefined: not all of them are known. */
  rows: readonly TableEdge[] | undefined
  filter: EdgeFilter
  order: SortOrder
  shown: number
  isFiltered: boolean
}) {
  const rows = known ?? []
  return (
    <div class="filters">
      <SearchField
        label="Search"
        value={filter.text}
        placeholder="Name, region, problem …"
        onValue={(q) => choose({ q })}
      />
      <Select
        label="State"
        chosen={filter.state}
        options={[['', 'all'], ...counted(rows.map(({ edge }) => edge.state))]}
        onChoice={(state) => choose({ state })}
      />
      <Select
        label="Region"
        chosen={filter.region}
        options={[['', 'all'], ...counted(rows.map(({ edge }) => edge.region))]}
        onChoice={(region) => choose({ region })}
      />
      <Select
        label="Problem"
        chosen={filter.problem}
        options={problemOptions(rows, filter.problem)}
        onChoice={(problem) => choose({ problem })}
      />
      <div class="sort-by">
        <Select
          label="Sort by"
          chosen={order.key}
          options={edgeColumns.map(({ key, title }) => [key, title])}
          onChoice={(key) => sortBy(firstOrder(sortKeys.find((each) => each === key) ?? 'problems'))}
        />
      </div>
      <p class="soft small shown" role="status">
        {known === undefined
          ? loading
          : isFiltered
            ? `${countOf(shown)} of ${amountOf(rows.length, 'edge')}`
            : amountOf(rows.length, 'edge')}
        {isFiltered && (
          <button type="button" class="button quiet small" onClick={clear}>
            Clear
          </button>
        )}
      </p>
    </div>
  )
}

const clear = () => choose({ q: '', state: '', region: '', problem: '' })

const sortBy = ({ key, isDescending }: SortOrder) =>
  choose({ sort: key === 'problems' && !isDescending ? '' : `${isDescending ? '-' : ''}${key}` })

function orderIn(address: URLSearchParams): SortOrder {
  const text = address.get('sort') ?? ''
  const key: SortKey | undefined = sortKeys.find((each) => each === text.replace(/^-/, ''))
  return key === undefined ? firstOrder('problems') : { key, isDescending: text.startsWith('-') }
}

function filterIn(address: URLSearchParams): EdgeFilter {
  const text = (key: string) => address.get(key) ?? ''
  const problem = text('problem')
  return {
    text: text('q'),
    state: text('state'),
    region: text('region'),
    problem: problem === 'any' || isKind(problem) ? problem : '',
  }
}

const isKind = (text: string): text is FindingKind => Object.hasOwn(findingWords, text)

/** Each value with the number of its edges. */
const counted = (values: readonly string[]): [string, string][] =>
  [...Map.groupBy(values, (value) => value)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([value, all]) => [value, `${value} (${countOf(all.length)})`])

function problemOptions(rows: readonly TableEdge[], chosen: string): [string, string][] {
  const kinds = rows.flatMap(({ findings }) => [...new Set(findings.map(({ kind }) => kind))])
  const some = rows.filter(({ findings }) => findings.length > 0).length
  const present = counted(kinds).map(([kind, words]): [string, string] => [
    kind,
    words.replace(kind, findingWords[kind as FindingKind].title),
  ])
  const isGone = isKind(chosen) && !present.some(([kind]) => kind === chosen)
  return [
    ['', 'all'],
    ['any', `with a problem (${countOf(some)})`],
    ...present,
    ...(isGone ? [[chosen, `${findingWords[chosen].title} (0)`] as [string, string]] : []),
  ]
}
