/** Shares of a whole, side by side. Drawn as SVG, because the content security policy forbids inline styles. */
interface BarProps {
  label: string
  parts: readonly number[]
  /** The whole; by default the sum of the parts. */
  all?: number
}

export function Bar({ label, parts, all = parts.reduce((sum, part) => sum + part, 0) }: BarProps) {
  const widths = parts.map((part) => (all > 0 ? (part / all) * 100 : 0))
  return (
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="rest" width="100" height="10" />
      {widths.map((width, index) => {
        const x = widths.slice(0, index).reduce((sum, before) => sum + before, 0)
        return <rect key={index} class={`part-${index + 1}`} x={x} width={width} height="10" />
      })}
    </svg>
  )
}
