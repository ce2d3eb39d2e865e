/** Selects the time range, the step, the groups, and which edges and servers are included. */
import { historyGroupings, type EdgeView, type History, type HistoryQuestion } from '@imapfleet/api'
import { absolute, relativeRanges, upstreamsOf } from '../fleet/history-question.ts'
import { Choice } from '../ui/choice.tsx'
import { Select } from '../ui/select.tsx'
import { TimeField } from '../ui/time-field.tsx'

interface WindowProps {
  question: HistoryQuestion
  /** The charts on the page. */
  shown: History | undefined
  edges: readonly EdgeView[]
  onChange: (change: Partial<HistoryQuestion>) => void
}

const steps = ['10s', '1m', '5m', '15m', '1h', '6h', '1d'] as const
const stepWords: Readonly<Record<string, string>> = {
  '10s': '10 seconds',
  '1m': '1 minute',
  '5m': '5 minutes',
  '15m': '15 minutes',
  '1h': '1 hour',
  '6h': '6 hours',
  '1d': '1 day',
}

export function HistoryWindow({ question, shown, edges, onChange }: WindowProps) {
  const { from, to, step, groupBy, compare, stacked } = question
  const range = relativeRanges.find((each) => from === `-${each}` && to === '')
  const shift = (direction: 1 | -1) => {
    if (!shown) return
    const [begin, end] = [Date.parse(shown.from), Date.parse(shown.to)]
    const length = (end - begin) * direction
    onChange(absolute(begin + length, Math.min(end + length, Date.now())))
  }
  return (
    <div class="history-window">
      <div class="row">
        <Choice
          label="Range"
          values={range === undefined ? (['other', ...relativeRanges] as const) : relativeRanges}
          chosen={range ?? 'other'}
          onChoice={(each) => each !== 'other' && onChange({ from: `-${each}`, to: '', step: '' })}
        />
        <span class="row">
          <button type="button" class="button small" disabled={!shown} onClick={() => shift(-1)}>
            ← Earlier
          </button>
          <button type="button" class="button small" disabled={to === '' || !shown} onClick={() => shift(1)}>
            Later →
          </button>
        </span>
        <Choice
          label="Group by"
          values={historyGroupings}
          chosen={groupBy}
          onChoice={(each) => onChange({ groupBy: each })}
        />
        <span class="row checks">
          <Check
            label="Compare with the period before"
            isOn={compare !== ''}
            onChange={(isOn) => onChange({ compare: isOn ? '1' : '' })}
          />
          <Check
            label="Stacked"
            isOn={stacked !== ''}
            onChange={(isOn) => onChange({ stacked: isOn ? '1' : '' })}
          />
        </span>
      </div>
      <div class="filters">
        <Pickers {...{ question, edges, onChange }} />
        <Select
          label="Step"
          chosen={step}
          options={optionsOf(
            'automatic',
            step,
            steps.map((each) => [each, stepWords[each] ?? each]),
          )}
          onChoice={(each) => onChange({ step: each })}
        />
        <TimeField
          label="From"
          at={shown && Date.parse(shown.from)}
          onTime={(at) =>
            shown && at !== undefined && onChange(absolute(at, Math.max(at, Date.parse(shown.to))))
          }
        />
        <TimeField
          label="To"
          at={shown && Date.parse(shown.to)}
          onTime={(at) =>
            shown && at !== undefined && onChange(absolute(Math.min(at, Date.parse(shown.from)), at))
          }
        />
      </div>
    </div>
  )
}

function Pickers({ question, edges, onChange }: Omit<WindowProps, 'shown'>) {
  const { region, edge, upstream } = question
  const inRegion = edges.filter((each) => region === '' || each.region === region)
  const ofEdge = inRegion.filter(({ id }) => edge === '' || id === edge)
  const names = (all: readonly string[]) =>
    [...new Set(all)].sort().map((name): [string, string] => [name, name])
  return (
    <>
      <Select
        label="Region"
        chosen={region}
        options={optionsOf('all', region, names(edges.map((each) => each.region)))}
        onChoice={(name) => onChange({ region: name, edge: '' })}
      />
      <Select
        label="Edge"
        chosen={edge}
        options={optionsOf('all', edge, names(inRegion.map(({ id }) => id)))}
        onChoice={(name) => onChange({ edge: name })}
      />
      <Select
        label="Upstream"
        chosen={upstream}
        options={optionsOf('all', upstream, names(upstreamsOf(ofEdge)))}
        onChoice={(name) => onChange({ upstream: name })}
      />
    </>
  )
}

/** Includes the chosen values, even unknown ones. */
const optionsOf = (none: string, chosen: string, known: readonly [string, string][]): [string, string][] => [
  ['', none],
  ...known,
  ...(chosen !== '' && !known.some(([value]) => value === chosen)
    ? [[chosen, chosen] as [string, string]]
    : []),
]

const Check = ({
  label,
  isOn,
  onChange,
}: {
  label: string
  isOn: boolean
  onChange: (isOn: boolean) => void
}) => (
  <label class="check">
    <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />{' '}
    {label}
  </label>
)
