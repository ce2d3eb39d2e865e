/** Users of a webmail: each page is a connection with a login, and a page that failed is asked for again. */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export interface LoginAttempt {
  /** Since the start of the benchmark's process. */
  at: number
  ms: number
  isServed: boolean
  /** What the user saw: the answer, or that there was none. */
  answer: string
}

const patienceMs = 60_000

/** One page: connects, logs in and out. */
export function logInOnce(port: number, user: string): Promise<LoginAttempt> {
  const at = performance.now()
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    const settle = (isServed: boolean, answer: string) => {
      clearTimeout(timer)
      resolve({ at, ms: performance.now() - at, isServed, answer })
    }
    const timer = setTimeout(() => {
      settle(false, `no answer within ${patienceMs / 1000} s`)
      socket.destroy()
    }, patienceMs)
    socket.on('error', () => {})
    socket.on('close', () => settle(false, 'connection closed'))
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const lines = text.split('\r\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        if (/^\* OK\b.*ready/.test(line)) socket.write(`a1 LOGIN ${user} secret\r\n`)
        else if (line.startsWith('a1 ')) {
          settle(line.startsWith('a1 OK'), line.slice(3).replace(/^(\S+ \[[A-Z]+\]).*/, '$1'))
          socket.end('a2 LOGOUT\r\n')
        }
      }
    })
  })
}

/** Tries until it is served. Between two attempts are `betweenMs`, at random up to twice as long. */
export async function logInUntilServed(
  port: number,
  user: string,
  betweenMs: number,
  endsAt: number,
): Promise<LoginAttempt[]> {
  const attempts: LoginAttempt[] = []
  while (performance.now() < endsAt) {
    const attempt = await logInOnce(port, user)
    attempts.push(attempt)
    if (attempt.isServed) break
    await pause(betweenMs * (1 + Math.random()))
  }
  return attempts
}
