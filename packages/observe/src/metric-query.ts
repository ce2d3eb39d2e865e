/** The grammar of a metric in a query of the history. Control answers such queries, and the console edits them. */

export interface MetricQuery {
  /** Not checked. */
  name: string
  /** `value` undefined: `label` is text that is not `label="value"`. */
  labels: { label: string; value: string | undefined }[]
  /** With its colon; empty if there is none. */
  suffix: string
}

/** `logins_total{result="ok"}:rate` in its parts; undefined if the text has another form. Quotes around values may be left out. */
export function parseMetricQuery(text: string): MetricQuery | undefined {
  const found = /^([a-z_]+)(?:\{([^{}]*)\})?(:[a-z]+[\d.]*)?$/.exec(text)
  if (!found) return undefined
  const [, name = '', list = '', suffix = ''] = found
  const pairs = list.split(',').map((pair) => pair.trim())
  return { name, labels: pairs.filter(Boolean).map(labelIn), suffix }
}

function labelIn(pair: string): MetricQuery['labels'][number] {
  const [, label = pair, quoted, bare] = /^([a-z_]+)=(?:"([^"]*)"|([^"]*))$/.exec(pair) ?? []
  return { label, value: quoted ?? bare }
}
