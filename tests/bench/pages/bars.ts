/** The targets of answer-ahead on webmail pages, each with the figure that meets or misses it. */
import { alignedTable, digits } from '../table.ts'
import {
  counterOf,
  firstPages,
  judgedPages,
  mean,
  ofKinds,
  perPage,
  type DistanceResults,
  type JudgedPage,
} from './results.ts'
import { aheadCounters } from './tables.ts'

interface PagesVerdict {
  bar: string
  value: number | undefined
  unit: string
  meets: (value: number) => boolean
}

const name = 'edge with ahead'
/** A larger difference is not chance. */
const timeTolerance = 1.1

export function pagesBarsTable(all: readonly DistanceResults[]): string {
  const verdicts = all.flatMap((results) => [...tripBars(results), ...costBars(results)])
  const said = ({ value, meets }: PagesVerdict) =>
    value === undefined ? 'not measured' : meets(value) ? 'met' : 'missed'
  const figure = ({ value, unit }: PagesVerdict) => (value === undefined ? '–' : `${digits(value)} ${unit}`)
  return alignedTable(
    ['bar', 'figure', ''],
    verdicts.map((row) => [row.bar, figure(row), said(row)]),
  )
}

function tripBars(results: DistanceResults): PagesVerdict[] {
  const pages = results.played.has(name) ? judgedPages(results, name) : []
  const bar = (words: string, most: number, suiting: readonly JudgedPage[]): PagesVerdict => ({
    bar: `${words}, server ${results.delayMs} ms away: at most ${most} round trips a page`,
    value: suiting.length === 0 ? undefined : mean(suiting.map((page) => page.roundTrips)),
    unit: 'round trips',
    meets: (value) => value <= most,
  })
  const first = firstPages(results, name).filter(({ at }) => at >= 20)
  const plugin = results.played.has('ahead and plugin') ? judgedPages(results, 'ahead and plugin') : []
  const strange = pages.filter(({ at }) => at >= 2)
  return [
    bar('all pages', 2, pages),
    bar('list, folder and search', 1.6, ofKinds(pages, 'list', 'folder', 'search')),
    bar('preview, show and refresh', 2.2, ofKinds(pages, 'preview', 'show', 'refresh')),
    bar('all pages with the plugin', 1.7, plugin),
    bar('first sessions of a new program, from page 21 on', 2, first),
    bar('a new user, from the third page on', 2, strange),
    {
      bar: `pages that differ from those without a proxy, server ${results.delayMs} ms away: none`,
      // One that differs ends the benchmark.
      value: pages.length === 0 ? undefined : 0,
      unit: `of ${pages.length}`,
      meets: (value) => value === 0,
    },
  ]
}

function costBars(results: DistanceResults): PagesVerdict[] {
  const wasted = perPage(results.played.get(name), (each) => counterOf(each, aheadCounters.dropped))
  return [
    {
      bar: `unused questions ahead, server ${results.delayMs} ms away: at most 0.5 a page`,
      value: wasted,
      unit: 'commands',
      meets: (value) => value <= 0.5,
    },
    {
      bar: `a mail of 4 MB, server ${results.delayMs} ms away: not slower than without`,
      value: largeRatio(results),
      unit: '×',
      meets: (value) => value <= timeTolerance,
    },
  ]
}

function largeRatio({ played }: DistanceResults): number | undefined {
  const [ours, without] = ([name, 'edge'] as const).map((contestant) =>
    (played.get(contestant) ?? []).flatMap(({ pages }) =>
      pages.filter(({ kind }) => kind === 'large' || kind === 'download').map(({ ms }) => ms),
    ),
  )
  return ours?.length && without?.length ? mean(ours) / mean(without) : undefined
}
