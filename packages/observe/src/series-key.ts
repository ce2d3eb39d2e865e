/** The key of a series in reports, /stats and the history: the name of the metric and its label values. */

/** `logins_total` + `{ upstream: 'main', result: 'ok' }` → `logins_total{upstream="main",result="ok"}`. */
export function seriesKey(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(
    ([label, value]) => `${label}="${value.replace(/["\\]/g, '\\$&')}"`,
  )
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

/** The inverse of `seriesKey`. Never throws; from a malformed key it returns the parts that it recognises. */
export function parseSeriesKey(key: string): { name: string; labels: Record<string, string> } {
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
