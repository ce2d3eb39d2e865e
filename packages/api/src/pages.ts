/** Parameters of requests that many routes share: whole numbers, and pages of lists. */
import { z } from 'zod'

/** A whole number in a path or a query, in plain decimal digits: not `0x10`, `1e3`, ` 5` or nothing. */
export const decimalNumber = (min: number, max: number) =>
  z.preprocess(
    (given: number | string) => (typeof given === 'string' && decimal.test(given) ? Number(given) : given),
    z.int(`must be a whole number from ${min} to ${max}`).min(min).max(max),
  )

const decimal = /^(?:0|[1-9]\d{0,15})$/

/** A page of a list, newest first. `before` is the `next` of the previous page. */
export const numberedPage = z.object({
  limit: decimalNumber(1, 500).default(50),
  before: decimalNumber(0, Number.MAX_SAFE_INTEGER).optional(),
})

/** The same, if the cursor is the id of the last row. */
export const pageById = numberedPage.extend({ before: z.uuid().optional() })

/** The largest number of a revision that Postgres stores. */
export const revisionMax = 2_147_483_647

/** A page of a list by the number of its revision. */
export const pageByRevision = numberedPage.extend({ before: decimalNumber(0, revisionMax).optional() })
