/** Values over time, and sums over several groups. */

/** One value for each step; null if nothing was reported. */
export type StepValues = readonly (number | null)[]

/** By step; null only if no group has a value. */
export function sumByStep(all: readonly StepValues[]): StepValues {
  const length = Math.max(0, ...all.map((series) => series.length))
  return Array.from({ length }, (_, step) => {
    const values = all.map((series) => series[step]).filter((value) => typeof value === 'number')
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0)
  })
}

/** Null if nothing was reported at all. */
export function totalOf(series: StepValues): number | null {
  const values = series.filter((value) => value !== null)
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0)
}

/** The value of the last step; null if nothing was reported in it. */
export const currentOf = (series: StepValues): number | null => series.at(-1) ?? null

/** Logins that reused a connection, for each step, in percent. */
export const ratioOf = ({ reuses, logins }: { reuses: StepValues; logins: StepValues }): StepValues =>
  logins.map((all, step) => {
    const part = reuses[step]
    return all === null || all === 0 || part === null || part === undefined ? null : (part / all) * 100
  })
