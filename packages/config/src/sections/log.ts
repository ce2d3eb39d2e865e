/** `log`: which events the edge logs, in which form, and where. */
import { z } from 'zod'
import { field, filePath, hostField, restartField } from '../fields.ts'

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
    sessions: field(
      z.boolean().default(true),
      'Write a line at the end of each session, session_ended at level info: user, client, upstream, bytes, duration, ending.',
    ),
    file: hostField(
      filePath.optional(),
      'File that the log is appended to. Absent: the log goes to stderr. SIGUSR1 and imapfleet newlog open it again after log rotation has moved it.',
    ),
  })
  .prefault({})
