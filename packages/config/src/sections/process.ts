/** `process`: the rights of the process and how it stops. Only the host's own file sets it. */
import { z } from 'zod'
import { durationMs, field, restartField } from '../fields.ts'

export const processSection = z
  .strictObject({
    user: restartField(
      z.string().min(1).max(64).optional(),
      'User that the edge becomes after it has opened its ports and read its keys. Required if it is started as root, without effect otherwise. In imapproxy.conf: proc_username.',
    ),
    group: restartField(
      z.string().min(1).max(64).optional(),
      'Group that the edge becomes together with user. Absent: the primary group of user. In imapproxy.conf: proc_groupname.',
    ),
    drainTimeoutMs: field(
      durationMs(0).default(30_000),
      'How long the edge waits for sessions to end when it is stopped, in milliseconds. Then it ends them. Sessions in IDLE end at once, and sessions between two commands after 5 s without a byte. 0: all sessions end immediately.',
    ),
  })
  .prefault({})
