/** Selects metrics and their functions. */
import { edgeMetrics, type EdgeMetricName, type MetricRow } from '@imapfleet/observe'
import { partsOf, readingsOf, withLabels } from '../fleet/history-question.ts'

const metricsMax = 8
const all = Object.entries(edgeMetrics as Record<string, MetricRow>) as [EdgeMetricName, MetricRow][]
const nameIn = (text: string) => /^[a-z_]+/.exec(text)?.[0] ?? ''

export function HistoryMetrics({
  chosen,
  onChoice,
}: {
  chosen: readonly string[]
  onChoice: (metrics: readonly string[]) => void
}) {
  return (
    <>
      <ul class="chosen-metrics" aria-label="Chosen metrics">
        {chosen.map((text) => (
          <Chosen key={text} text={text} chosen={chosen} onChoice={onChoice} />
        ))}
      </ul>
      <details>
        <summary class="card-body">All metrics ({all.length})</summary>
        <fieldset class="metric-list">
          <legend class="unseen">Metrics</legend>
          {all.map(([name, { help }]) => {
            const isChosen = chosen.some((text) => nameIn(text) === name)
            return (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={isChosen}
                  disabled={!isChosen && chosen.length >= metricsMax}
                  onChange={() =>
                    onChoice(
                      isChosen
                        ? chosen.filter((text) => nameIn(text) !== name)
                        : [...chosen, `${name}${readingsOf(name)[0]?.suffix ?? ''}`],
                    )
                  }
                />
                <code>{name}</code>
                <small>{help}</small>
              </label>
            )
          })}
        </fieldset>
      </details>
    </>
  )
}

function Chosen({
  text,
  chosen,
  onChoice,
}: {
  text: string
  chosen: readonly string[]
  onChoice: (metrics: readonly string[]) => void
}) {
  const parts = partsOf(text)
  const name = parts?.name ?? text
  const known = parts ? readingsOf(parts.name) : []
  const { labels: has = [] }: Partial<MetricRow> = parts ? edgeMetrics[parts.name] : {}
  const instead = (next: string) =>
    onChoice([...new Set(chosen.map((each) => (each === text ? next : each)))])
  return (
    <li>
      <code>{name}</code>
      {parts && has.length > 0 && (
        <input
          class="input"
          aria-label={`Series of ${name}`}
          title={`Empty: all. By ${has.join(', ')}.`}
          placeholder={`${has.at(-1)}="…"`}
          spellcheck={false}
          autocomplete="off"
          value={parts.labels}
          onChange={(event) => instead(withLabels(text, event.currentTarget.value))}
        />
      )}
      {known.length > 0 && (
        <select
          class="input"
          aria-label={`Function for ${name}`}
          value={parts?.suffix}
          onChange={(event) => instead(`${text.replace(/:\w+$/, '')}${event.currentTarget.value}`)}
        >
          {known.map(({ suffix, words }) => (
            <option key={suffix} value={suffix}>
              {words}
            </option>
          ))}
        </select>
      )}
      <button
        type="button"
        class="button quiet small"
        aria-label={`Remove ${name}`}
        onClick={() => onChoice(chosen.filter((each) => each !== text))}
      >
        ✕
      </button>
    </li>
  )
}
