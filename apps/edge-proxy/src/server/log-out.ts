/** Logs out of a server on a connection that has no command in progress, so that the server no longer counts it. */
import type { Link } from '../net/link.ts'
import { runtime } from '../runtime.ts'

/** Time limit for the reply to LOGOUT. */
const replyTimeoutMs = 2000
/** Time limit for the server to close the connection after its reply. */
const closeTimeoutMs = 250

/** Settles when the server has closed the connection, or when the edge has closed it after a time limit. */
export function logOut(link: Link): Promise<void> {
  if (!link.isOpen) return Promise.resolve()
  return new Promise((resolve) => {
    const giveUp = () => {
      link.close()
      resolve()
    }
    let timer = runtime.after(replyTimeoutMs, giveUp)
    let isAnswered = false
    link.handler = {
      onData(bytes) {
        if (isAnswered || !/^i0 /m.test(bytes.toString('latin1'))) return
        isAnswered = true
        runtime.cancel(timer)
        timer = runtime.after(closeTimeoutMs, giveUp)
      },
      onEnd() {
        runtime.cancel(timer)
        resolve()
      },
    }
    link.resume()
    link.write('i0 LOGOUT\r\n')
  })
}
