/** Which metrics are drawn, and how each is read. */
import { metrics, type MetricName, type MetricRow } from '@imapfleet/protocol'
import { describe, readingsOf } from '../fleet/history-question.ts'

const metricsMax = 8
const all = Object.entries(metrics as Record<string, MetricRow>) as [MetricName, MetricRow][]
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
  const { name } = describe(text)
  const known = Object.hasOwn(metrics, nameIn(text)) ? readingsOf(nameIn(text) as MetricName) : []
  const instead = (next: string) => onChoice(chosen.map((each) => (each === text ? next : each)))
  return (
    <li>
      <code>{name}</code>
      {known.length > 0 && (
        <select
          class="input"
          aria-label={`How ${name} is read`}
          value={text.slice(name.length)}
          onChange={(event) => instead(`${name}${event.currentTarget.value}`)}
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
        aria-label={`Take ${name} out`}
        onClick={() => onChoice(chosen.filter((each) => each !== text))}
      >
        ✕
      </button>
    </li>
  )
}
