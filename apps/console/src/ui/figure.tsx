/** One figure with its recent history. */
import type { ComponentChildren } from 'preact'
import { Spark } from './spark.tsx'

interface FigureProps {
  title: string
  value: ComponentChildren
  remark?: ComponentChildren
  values?: readonly (number | null)[]
  max?: number
}

export const Figure = ({ title, value, remark, values, max }: FigureProps) => (
  <div class="figure card">
    <dt>{title}</dt>
    <dd>{value}</dd>
    {remark !== undefined && <dd class="remark">{remark}</dd>}
    {values && (
      <dd class="line">
        <Spark
          values={values}
          label={title}
          width={220}
          height={36}
          {...(max === undefined ? {} : { max })}
        />
      </dd>
    )}
  </div>
)
