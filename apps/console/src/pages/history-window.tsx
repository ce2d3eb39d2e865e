/** Which time, how fine, and of whom. */
import { useState } from 'preact/hooks'
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
  const { from, to, step, region, edge } = question
  const [typed, setTyped] = useState({ from, to, step, region, edge })
  const field = (key: keyof typeof typed, label: string, placeholder: string) => (
    <Field
      label={label}
      value={typed[key]}
      placeholder={placeholder}
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
      {field('step', 'Step', 'as suits the range')}
      {field('region', 'Region', 'all')}
      {field('edge', 'Edge', 'all')}
      <button type="submit" class="button primary">
        Show
      </button>
    </form>
  )
}
