/** Selects the time range, the step, and the edges. */
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { readWholeFleet } from '../fleet/all-edges.ts'
import { groupings, relativeRanges, type HistoryQuestion } from '../fleet/history-question.ts'
import { Choice } from '../ui/choice.tsx'
import { Field } from '../ui/field.tsx'

interface WindowProps {
  question: HistoryQuestion
  onChange: (change: Partial<HistoryQuestion>) => void
}

export function HistoryWindow({ question, onChange }: WindowProps) {
  const range = relativeRanges.find((each) => question.from === `-${each}` && question.to === '')
  return (
    <div class="history-window">
      <div class="row">
        <Choice
          label="Range"
          values={range === undefined ? (['other', ...relativeRanges] as const) : relativeRanges}
          chosen={range ?? 'other'}
          onChoice={(each) => each !== 'other' && onChange({ from: `-${each}`, to: '', step: '' })}
        />
        <Choice
          label="Group by"
          values={groupings}
          chosen={question.groupBy}
          onChoice={(groupBy) => onChange({ groupBy })}
        />
      </div>
      <Details key={JSON.stringify(question)} question={question} onChange={onChange} />
    </div>
  )
}

function Details({ question, onChange }: WindowProps) {
  const { from, to, step, region, edge, upstream } = question
  const [typed, setTyped] = useState({ from, to, step, region, edge, upstream })
  const edges =
    useAnswer('edges of a history', async (signal) => (await readWholeFleet(call, signal)).edges).data ?? []
  const names = {
    region: edges.map((each) => each.region),
    edge: edges.map(({ id }) => id),
    upstream: edges.flatMap(({ upstreams = [] }) => upstreams.map(({ name }) => name)),
  }
  const field = (key: keyof typeof typed, label: string, placeholder: string) => (
    <Field
      label={label}
      value={typed[key]}
      placeholder={placeholder}
      autocomplete="off"
      {...(Object.hasOwn(names, key) && { list: `names-of-${key}` })}
      onValue={(value) => setTyped({ ...typed, [key]: value })}
    />
  )
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault()
        const trimmed = Object.entries(typed).map(([key, value]) => [key, value.trim()])
        onChange(Object.fromEntries(trimmed) as typeof typed)
      }}
    >
      {field('from', 'From', '-6h, or 2026-03-01T12:00:00Z')}
      {field('to', 'To', 'now')}
      {field('step', 'Step', 'automatic')}
      {field('region', 'Region', 'all')}
      {field('edge', 'Edge', 'all')}
      {field('upstream', 'Upstream', 'all')}
      {Object.entries(names).map(([key, each]) => (
        <datalist key={key} id={`names-of-${key}`}>
          {[...new Set(each)].sort().map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      ))}
      <button type="submit" class="button primary">
        Show
      </button>
    </form>
  )
}
