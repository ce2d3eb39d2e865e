/** The edges of the first wave: typed, or selected from the edges of the layer. */
import { offeredFor, unknownEdgesIn, toggled, wordsIn, type MeantEdge } from '../fleet/canary-edges.ts'
import { amountOf } from '../format/number.ts'
import { Field } from '../ui/field.tsx'

interface CanaryProps {
  value: string
  onValue: (value: string) => void
  /** Undefined until control has answered. */
  edges: readonly MeantEdge[] | undefined
}

export function CanaryEdges({ value, onValue, edges }: CanaryProps) {
  return (
    <div class="canary-edges">
      <Field
        label="First wave: these edges"
        value={value}
        hint="Names separated by spaces, or choose below."
        wrong={unknownEdgesIn(value, edges)}
        autocomplete="off"
        onValue={onValue}
      />
      {edges && edges.length > 0 && <Offered value={value} onValue={onValue} edges={edges} />}
    </div>
  )
}

function Offered({ value, onValue, edges }: CanaryProps & { edges: readonly MeantEdge[] }) {
  const offered = offeredFor(value, edges)
  const chosen = new Set(wordsIn(value))
  return (
    <fieldset class="offered-edges">
      <legend class="unseen">Edges to choose from</legend>
      {offered.edges.map(({ id, status }) => (
        <label key={id}>
          <input
            type="checkbox"
            checked={chosen.has(id)}
            onChange={() => onValue(toggled(value, id, edges))}
          />
          {id}
          {status === 'silent' && <span class="soft small">silent</span>}
        </label>
      ))}
      {offered.more > 0 && (
        <span class="soft small">
          and {amountOf(offered.more, 'more edge')}: type part of a name to find them
        </span>
      )}
    </fieldset>
  )
}
