/** The settings of a rollout: the first wave, the order of regions, the soak time, and the conditions of a rollback. */
import type { MeantEdge } from '../fleet/canary-edges.ts'
import { mistakeIn, type RolloutForm } from '../fleet/rollout-form.ts'
import { Field } from '../ui/field.tsx'
import { CanaryEdges } from './canary-edges.tsx'

interface FieldsProps {
  form: RolloutForm
  onForm: (form: RolloutForm) => void
  /** The edges of the layer; undefined until control has answered. */
  edges: readonly MeantEdge[] | undefined
}

export function RolloutFields({ form, onForm, edges }: FieldsProps) {
  const field = (key: keyof RolloutForm, label: string, hint?: string) => (
    <Field
      label={label}
      value={form[key]}
      hint={hint}
      wrong={mistakeIn(form, key)}
      autocomplete="off"
      onValue={(value) => onForm({ ...form, [key]: value })}
    />
  )
  return (
    <>
      <div class="rollout-fields">
        <CanaryEdges value={form.canary} edges={edges} onValue={(canary) => onForm({ ...form, canary })} />
        {field('percent', 'First wave: share in %', 'Of every region; 0 for none.')}
        {field('regions', 'Order of regions', 'Other regions follow.')}
        {field('soak', 'Soak time in seconds', 'Of each wave.')}
      </div>
      <details>
        <summary>Automatic rollback</summary>
        <div class="rollout-fields">
          {field('silence', 'Silence in seconds', 'Of an edge that should apply it.')}
          {field('errors', 'More failures in %', 'Of logins, or of connections to mail servers.')}
        </div>
      </details>
    </>
  )
}
