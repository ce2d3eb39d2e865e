/** A small line chart in the height of text. Its label is for screen readers. Gaps are not interpolated. */

interface SparkProps {
  values: readonly (number | null)[]
  label: string
  width?: number
  height?: number
  /** The upper bound; by default the highest value. */
  max?: number
}

export function Spark({ values, label, width = 96, height = 24, max }: SparkProps) {
  const top = max ?? Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE)
  const x = (index: number) => (values.length < 2 ? 0 : (index / (values.length - 1)) * width)
  const y = (value: number) => height - 1.5 - (Math.min(value, top) / top) * (height - 3)
  const runs = runsOf(values)
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {runs.map((run) => {
        const line = run.map(({ index, value }) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
        const [first, last] = [run[0]?.index ?? 0, run.at(-1)?.index ?? 0]
        return (
          <g key={first}>
            <polygon points={`${x(first)},${height} ${line} ${x(last)},${height}`} />
            <polyline points={line} />
          </g>
        )
      })}
    </svg>
  )
}

type Point = { index: number; value: number }

/** Sections without a gap. */
function runsOf(values: readonly (number | null)[]): Point[][] {
  const runs: Point[][] = []
  let current: Point[] = []
  for (const [index, value] of values.entries()) {
    if (value === null) current = []
    else {
      if (current.length === 0) runs.push(current)
      current.push({ index, value })
    }
  }
  return runs
}
