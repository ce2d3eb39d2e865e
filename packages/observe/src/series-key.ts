/** The key of a series in reports, /stats and the history: the name of the metric and its label values. */

/** `logins_total` + `{ upstream: 'main', result: 'ok' }` → `logins_total{upstream="main",result="ok"}`. */
export function seriesKey(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(
    ([label, value]) => `${label}="${value.replace(/["\\]/g, '\\$&')}"`,
  )
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

/** The parts of a key. */
export interface ParsedSeries {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** The edges of a fleet have the same keys, and each is parsed with every answer about them. */
const parsed = new Map<string, ParsedSeries>()
/** Keys come from outside. */
const parsedMax = 5_000

/** The inverse of `seriesKey`. Never throws; from a malformed key it returns the parts that it recognises. */
export function parseSeriesKey(key: string): ParsedSeries {
  const known = parsed.get(key)
  if (known) return known
  if (parsed.size >= parsedMax) parsed.clear()
  const found = parse(key)
  parsed.set(key, found)
  return found
}

function parse(key: string): ParsedSeries {
  const open = key.indexOf('{')
  if (open < 0) return { name: key, labels: {} }
  const pairs = key.slice(open + 1, -1).matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gs)
  return {
    name: key.slice(0, open),
    labels: Object.fromEntries(
      [...pairs].map(([, label, value]) => [label, value!.replace(/\\(.)/gs, '$1')]),
    ),
  }
}

export interface LabelledValue {
  labels: ParsedSeries['labels']
  value: number
}

/** The series of one metric. Only their keys are parsed, because a fleet has many others. */
export function seriesOf(values: Readonly<Record<string, number>>, name: string): LabelledValue[] {
  const found: LabelledValue[] = []
  const start = `${name}{`
  for (const key in values)
    if (key === name || key.startsWith(start))
      found.push({ labels: parseSeriesKey(key).labels, value: values[key]! })
  return found
}
