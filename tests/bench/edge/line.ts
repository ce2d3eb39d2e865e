/** The set-up for one contestant: its own stub server, the relay to it, and the proxy in front. */
import { chmodSync } from 'node:fs'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { processTree } from '../accounting.ts'
import type { Contestant } from './contestants/contestant.ts'
import { startRelay, startStub, type Stub } from './programs.ts'

export interface Line {
  contestant: Contestant
  stub: Stub
  /** The port for clients. */
  port: number
  /** The processes of the proxy; none without one. */
  pids(): number[]
  /** Pids of the stub server and the relay. */
  bystanders: number[]
  stop(): Promise<void>
}

export async function startLine(contestant: Contestant, delayMs: number): Promise<Line> {
  const directory = temporaryDirectory('bench')
  chmodSync(directory, 0o777)
  const stub = await startStub()
  const relay = delayMs > 0 ? await startRelay(stub.port, delayMs) : undefined
  const { port, process } = await contestant.start(relay?.port ?? stub.port, directory)
  return {
    contestant,
    stub,
    port,
    pids: () => (process ? processTree(process.pid) : []),
    bystanders: [stub.pid, ...(relay ? [relay.pid] : [])],
    async stop() {
      await process?.stop()
      await relay?.stop()
      await stub.stop()
      await removeTemporaryDirectory(directory)
    },
  }
}
