/** `log`: what the edge writes to stderr. */
import { z } from 'zod'
import { field, restartField } from '../fields.ts'

export const logSection = z
  .strictObject({
    level: field(
      z.enum(['error', 'warn', 'info', 'debug']).default('info'),
      'Least severe level that is written, from error to debug.',
    ),
    format: restartField(
      z.enum(['text', 'json']).default('text'),
      'Write each event as one line of text, or as one line of JSON.',
    ),
  })
  .prefault({})
