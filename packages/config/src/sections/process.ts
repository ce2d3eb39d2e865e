/** `process`: the rights of the process and how it stops. Only the host's own file sets it. */
import { z } from 'zod'
import { durationMs, field, restartField, wholeNumber } from '../fields.ts'

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
    memoryBytesMax: field(
      wholeNumber(0, 1_099_511_627_776).default(0),
      'Memory that the process may use, in bytes of resident memory. From 90 % of it on, idle connections are evicted. Above it, logins that need a new connection are refused with [UNAVAILABLE], and running sessions and reuse continue. Set it below the limit of the system (MemoryMax in systemd, the limit of a container). 0: no limit.',
    ),
    handoverTimeoutMs: field(
      durationMs(0).default(3_600_000),
      'How long sessions may continue in the old process of an edge after a new one has taken over (SIGUSR2), in milliseconds. Then they end as in a stop, within drainTimeoutMs. 0: they end at once.',
    ),
  })
  .prefault({})
