/** A choice of a few values, all visible. */
interface ChoiceProps<Value extends string> {
  /** For screen readers. */
  label: string
  values: readonly Value[]
  chosen: Value
  onChoice: (value: Value) => void
}

export const Choice = <Value extends string>({ label, values, chosen, onChoice }: ChoiceProps<Value>) => (
  <fieldset class="choice">
    <legend class="unseen">{label}</legend>
    {values.map((value) => (
      <label key={value}>
        <input
          class="unseen"
          type="radio"
          name={label}
          checked={value === chosen}
          onChange={() => onChoice(value)}
        />
        {value}
      </label>
    ))}
  </fieldset>
)
