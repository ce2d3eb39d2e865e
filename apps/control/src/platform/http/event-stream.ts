/**
 * Server-Sent Events: each with a name, JSON, and possibly an id from which a client can resume. Comments keep the
 * connection alive.
 */
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'

export type Send = (event: string, data: unknown, id?: string) => Promise<void>

const keepAliveMs = 15_000

/** Runs `produce` until it returns. Aborts `listening` when the client has disconnected. */
export function eventStream(
  context: Context,
  listening: AbortController,
  produce: (send: Send) => Promise<void>,
): Response {
  if (context.req.method === 'HEAD') {
    // Without a reader a write would wait forever.
    listening.abort()
    return context.body(null, 200, { 'content-type': 'text/event-stream' })
  }
  // Prevents buffering by proxies.
  context.header('x-accel-buffering', 'no')
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => listening.abort())
    const keepAlive = setInterval(
      () => void stream.write(': alive\n\n').catch(() => listening.abort()),
      keepAliveMs,
    )
    try {
      await stream.write(': listening\n\n')
      await produce(async (event, data, id) => {
        await stream.writeSSE({ event, data: JSON.stringify(data), ...(id === undefined ? {} : { id }) })
      })
    } finally {
      clearInterval(keepAlive)
      listening.abort()
    }
  })
}
