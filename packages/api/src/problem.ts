/** Refusals and errors, as the control API answers them. */
import { z } from 'zod'

/** RFC 9457. docs/failure-modes.md lists the codes. */
export const problemDetailsSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string(),
    problems: z.array(z.object({ key: z.string(), message: z.string() })).optional(),
    /** The newest revision, if the change was based on an older one. */
    newest: z.int().optional(),
  })
  .meta({ id: 'Problem' })
export type ProblemDetails = z.infer<typeof problemDetailsSchema>
