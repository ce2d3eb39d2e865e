/** What the history explorer asks: kept in the address, so that a link shows the same. */
import { metrics, type History, type MetricName, type MetricRow } from '@imapfleet/protocol'

export interface HistoryQuestion {
  /** Such as `logins_total{result="ok"}:rate`. */
  metrics: readonly string[]
  /** Relative (`-6h`) or ISO. */
  from: string
  to: string
  /** Empty: as fine as suits the range. */
  step: string
  groupBy: History['groupBy']
  region: string
  edge: string
}

export const groupings = [
  'fleet',
  'region',
  'edge',
  'upstream',
] as const satisfies readonly History['groupBy'][]
export const relativeRanges = ['1h', '6h', '24h', '7d', '30d'] as const

const usual: HistoryQuestion = {
  metrics: ['sessions_total:rate', 'login_seconds:p95'],
  from: '-6h',
  to: '',
  step: '',
  groupBy: 'region',
  region: '',
  edge: '',
}

export function questionIn(search: URLSearchParams): HistoryQuestion {
  const text = (key: keyof HistoryQuestion) => search.get(key) ?? (usual[key] as string)
  const asked = search.getAll('metric')
  return {
    metrics: asked.length > 0 ? asked : usual.metrics,
    from: text('from'),
    to: text('to'),
    step: text('step'),
    groupBy: groupings.find((group) => group === search.get('groupBy')) ?? usual.groupBy,
    region: text('region'),
    edge: text('edge'),
  }
}

/** The address of a question; what is usual is left out. */
export function addressOf(question: HistoryQuestion): string {
  const search = new URLSearchParams()
  const isUsual = question.metrics.join() === usual.metrics.join()
  if (!isUsual) for (const metric of question.metrics) search.append('metric', metric)
  for (const key of ['from', 'to', 'step', 'groupBy', 'region', 'edge'] as const)
    if (question[key] !== usual[key]) search.set(key, question[key])
  const text = search.toString()
  return `/history${text && '?'}${text}`
}

/** What one can read of a metric, the usual first. */
export function readingsOf(name: MetricName): { suffix: string; words: string }[] {
  const { kind }: MetricRow = metrics[name]
  if (kind === 'counter')
    return [
      { suffix: ':rate', words: 'a second' },
      { suffix: '', words: 'in each step' },
    ]
  if (kind === 'gauge')
    return [
      { suffix: '', words: 'average' },
      { suffix: ':max', words: 'highest' },
      { suffix: ':min', words: 'lowest' },
      { suffix: ':last', words: 'last' },
    ]
  return [
    { suffix: ':p95', words: '95 of 100 within' },
    { suffix: ':p50', words: 'half within' },
    { suffix: ':p99', words: '99 of 100 within' },
    { suffix: ':avg', words: 'average' },
    { suffix: ':count', words: 'how many' },
  ]
}

/** Name and reading of a metric as it was asked for, and how its values are to be read. */
export function describe(text: string): {
  name: string
  words: string
  unit: 'seconds' | 'bytes' | 'number'
} {
  const [, name = text, , suffix = ''] = /^([a-z_]+)(\{[^}]*\})?(:\w+)?$/.exec(text) ?? []
  if (!Object.hasOwn(metrics, name)) return { name: text, words: '', unit: 'number' }
  const words = readingsOf(name as MetricName).find((reading) => reading.suffix === suffix)?.words ?? ''
  const isTime = name.endsWith('_seconds') && suffix !== ':count'
  const unit = isTime ? 'seconds' : name.includes('bytes') ? 'bytes' : 'number'
  return { name: text.replace(/:\w+$/, ''), words, unit }
}
