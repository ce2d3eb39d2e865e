/** Selects metrics and their functions: a preset, or single ones from the list. */
import { edgeMetrics, type EdgeMetricName, type MetricRow } from '@imapfleet/observe'
import { useState } from 'preact/hooks'
import { historyPresets } from '@imapfleet/api'
import {
  isLabelValue,
  labelChoices,
  partsOf,
  presetNames,
  presetOf,
  readingsOf,
  withLabel,
} from '../fleet/history-question.ts'
import { metricTitle } from '../fleet/metric-titles.ts'
import { Choice } from '../ui/choice.tsx'
import { SearchField } from '../ui/search-field.tsx'

const metricsMax = 8
const notInValues = 'A value cannot contain { } , " or \\.'
const all = Object.entries(edgeMetrics as Record<string, MetricRow>) as [EdgeMetricName, MetricRow][]
const nameIn = (text: string) => /^[a-z_]+/.exec(text)?.[0] ?? ''

interface MetricsProps {
  chosen: readonly string[]
  /** Names of the mail servers of the fleet, sorted. */
  upstreams: readonly string[]
  onChoice: (metrics: readonly string[]) => void
}

export function HistoryMetrics({ chosen, upstreams, onChoice }: MetricsProps) {
  const preset = presetOf(chosen)
  const [isOpen, setOpen] = useState(false)
  return (
    <div class="history-metrics">
      <div class="row">
        <Choice
          label="Preset"
          values={preset === undefined ? ([...presetNames, 'own choice'] as const) : presetNames}
          chosen={preset ?? 'own choice'}
          onChoice={(name) => name !== 'own choice' && onChoice(historyPresets[name])}
        />
      </div>
      <ul class="chosen-metrics" aria-label="Chosen metrics">
        {chosen.map((text, index) => (
          // By the place, because the text changes with every choice, and the focus shall stay.
          <Chosen key={index} {...{ text, chosen, upstreams, onChoice }} />
        ))}
      </ul>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>All metrics ({all.length})</summary>
        {isOpen && <MetricList {...{ chosen, onChoice }} />}
      </details>
    </div>
  )
}

function MetricList({ chosen, onChoice }: Omit<MetricsProps, 'upstreams'>) {
  const [text, setText] = useState('')
  const words = text.toLowerCase().split(/\s+/)
  const found = all.filter(([name, { help }]) => {
    const searched = `${name} ${metricTitle(name)} ${help}`.toLowerCase()
    return words.every((word) => searched.includes(word))
  })
  return (
    <>
      <SearchField
        label="Search metrics"
        value={text}
        placeholder="password, bytes, wait …"
        onValue={setText}
      />
      <fieldset class="metric-list">
        <legend class="unseen">Metrics</legend>
        {found.map(([name, { help }]) => {
          const isChosen = chosen.some((each) => nameIn(each) === name)
          return (
            <label key={name} title={help}>
              <input
                type="checkbox"
                checked={isChosen}
                disabled={!isChosen && chosen.length >= metricsMax}
                onChange={() =>
                  onChoice(
                    isChosen
                      ? chosen.filter((each) => nameIn(each) !== name)
                      : [...chosen, `${name}${readingsOf(name)[0]?.suffix ?? ''}`],
                  )
                }
              />
              <span>{metricTitle(name)}</span>
              <small>{name}</small>
            </label>
          )
        })}
        {found.length === 0 && <p class="soft">No metric matches.</p>}
      </fieldset>
    </>
  )
}

function Chosen({ text, chosen, upstreams, onChoice }: MetricsProps & { text: string }) {
  const parts = partsOf(text)
  const name = parts ? metricTitle(parts.name) : text
  const suffix = parts?.suffix ?? ''
  const usual = parts ? readingsOf(parts.name) : []
  // The API has more functions, such as :p90.
  const known = usual.some((each) => each.suffix === suffix)
    ? usual
    : [...usual, { suffix, words: suffix.slice(1) }]
  const instead = (next: string) =>
    onChoice([...new Set(chosen.map((each) => (each === text ? next : each)))])
  return (
    <li>
      <span title={parts?.name}>{name}</span>
      {parts &&
        labelChoices(parts, upstreams).map(({ label, values }) => {
          const its = parts.labels[label] ?? ''
          const words = label.replaceAll('_', ' ')
          const props = {
            class: 'input',
            'aria-label': `${words} of ${name}`,
            value: its,
            onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) =>
              isLabelValue(value) && instead(withLabel(text, label, value)),
          }
          return values === undefined ? (
            <input
              key={label}
              placeholder={`every ${words}`}
              spellcheck={false}
              autocomplete="off"
              onInput={({ currentTarget: field }) => {
                field.setCustomValidity(isLabelValue(field.value) ? '' : notInValues)
                field.reportValidity()
              }}
              {...props}
            />
          ) : (
            <select key={label} {...props}>
              <option value="">every {words}</option>
              {[...new Set([...values, its])].filter(Boolean).map((value) => (
                <option key={value}>{value}</option>
              ))}
            </select>
          )
        })}
      {known.length > 1 && (
        <select
          class="input"
          aria-label={`Function for ${name}`}
          value={suffix}
          onChange={(event) =>
            instead(`${text.slice(0, text.length - suffix.length)}${event.currentTarget.value}`)
          }
        >
          {known.map((each) => (
            <option key={each.suffix} value={each.suffix}>
              {each.words}
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
