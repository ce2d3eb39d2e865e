/** `pool`: how long server connections are kept and reused, and what the edge answers in place of the server. */
import { z } from 'zod'
import { byteCount, durationMs, field, wholeNumber } from '../fields.ts'

export const poolSection = z
  .strictObject({
    idleTimeoutMs: field(
      durationMs(1000).default(300_000),
      'How long an idle server connection is kept, in milliseconds. In imapproxy.conf: cache_expiration_time.',
    ),
    lifetimeMaxMs: field(
      durationMs(1000).default(3_600_000),
      'Age after which a server connection is not reused, in milliseconds. It limits how long a user can log in with a password that was changed on the server.',
    ),
    usesMax: field(wholeNumber(1).default(1000), 'Sessions that one server connection may serve in turn.'),
    proveIdleAfterMs: field(
      durationMs(0).default(60_000),
      'How long a check of an idle connection is trusted, in milliseconds. After that the connection is checked with NOOP before it is reused; the edge also checks in the background. 0: before every reuse.',
    ),
    replyTimeoutMs: field(
      durationMs(1000, 600_000).default(30_000),
      'How long a command of a client waits in the edge for earlier replies while the server sends nothing, in milliseconds; for example a LOGOUT after an unanswered command. Then the session ends, and the server connection is closed.',
    ),
    resetTimeoutMs: field(
      durationMs(100, 600_000).default(5_000),
      'Time for cleaning a server connection after a session, in milliseconds: pending replies and the deselect. Then it is closed.',
    ),
    resetBytesMax: field(
      byteCount(1024, 67_108_864).default(1_048_576),
      'Bytes that the server may send while a connection is cleaned, or while it is idle. If it sends more, the connection is closed.',
    ),
    selectCache: field(
      z.enum(['off', 'exact', 'window']).default('off'),
      'Whether a SELECT of the mailbox that the last session had selected is answered from memory. off: never. exact: after a NOOP showed that nothing changed. window: without asking the server, within selectCacheWindowMs.',
    ),
    selectCacheWindowMs: field(
      durationMs(0, 600_000).default(10_000),
      'With selectCache: window, how old an answer may be, in milliseconds. The default is that of imapproxy. 0: always ask the server.',
    ),
    answerCapability: field(
      z.boolean().default(true),
      'Answer CAPABILITY after the login from what the server said before. false: ask the server each time.',
    ),
    answerId: field(
      z.boolean().default(true),
      'Answer ID after the login immediately, and forward it to the server; with a mailbox selected, the server answers it. false: the client waits for the answer of the server.',
    ),
  })
  .prefault({})
