/** Checks whether a line-based server is ready: connects, sends a line if required, and reads. */
import { createConnection } from 'node:net'

export interface Probe {
  host: string
  port: number
  /** Sent immediately after the connect. */
  say?: string
  /** Gets everything received so far. True: ready; false: it never will be; undefined: read on. */
  judge: (said: string) => boolean | undefined
}

/** False after a refusal, silence or an unexpected answer. */
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
