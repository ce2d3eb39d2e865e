/** Asks a server that speaks in lines whether it is ready: connects, says something if told to, and reads. */
import { createConnection } from 'node:net'

export interface Probe {
  host: string
  port: number
  /** Sent at once. */
  say?: string
  /** Given all that has come; true: ready, false: it never will be, undefined: read on. */
  judge: (said: string) => boolean | undefined
}

/** False for refusal, silence and nonsense alike. */
export function probe({ host, port, say, judge }: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    let said = ''
    const socket = createConnection({ host, port })
    const end = (ready: boolean) => {
      socket.destroy()
      resolve(ready)
    }
    socket.setTimeout(2_000, () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    if (say !== undefined) socket.write(say)
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
      const verdict = judge(said)
      if (verdict !== undefined) end(verdict)
    })
  })
}
