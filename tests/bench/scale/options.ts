/** The command line of the benchmark of fleet sizes. */
import { parseArgs } from 'node:util'

export interface ScaleOptions {
  /** In edges, ascending. */
  sizes: number[]
  orders: number
  changes: number
  /** Of each request. */
  requests: number
  /** In total, whatever the size. */
  reports: number
  idleSeconds: number
  /** Only such a run writes docs/sizing.md. */
  complete: boolean
}

export const scaleBenchUsage = `usage: npm run bench scale -- [options]
  --sizes N,N,N    sizes of the fleet (default 1000,3000,10000)
  --quick          everything a few times only: whether it works`

const usualSizes = '1000,3000,10000'

/** The options, or an error message. */
export function parseScaleOptions(argv: string[]): ScaleOptions | string {
  try {
    const { values } = parseArgs({
      args: argv,
      options: { sizes: { type: 'string', default: usualSizes }, quick: { type: 'boolean', default: false } },
    })
    const sizes = values.sizes.split(',').map(Number)
    if (!sizes.every((size) => Number.isInteger(size) && size >= 10 && size <= 20_000))
      return `--sizes must be whole numbers from 10 to 20000, not ${values.sizes}`
    const { quick } = values
    return {
      sizes: sizes.toSorted((a, b) => a - b),
      orders: quick ? 3 : 20,
      changes: quick ? 1 : 5,
      requests: quick ? 2 : 5,
      reports: quick ? 2_000 : 20_000,
      idleSeconds: quick ? 5 : 20,
      complete: !quick && values.sizes === usualSizes,
    }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}
