/** Measures how long the edge takes from its start until its port accepts a connection, installed and from the sources. */
import { chmodSync } from 'node:fs'
import { freePort, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { edgePrograms, startOurEdge } from './contestants/imapfleet.ts'

type Program = keyof typeof edgePrograms
export type StartSamples = Record<Program, number[]>

/** In milliseconds. The first start of each, which fills the cache of the file system, is left out. */
export async function measureStarts(repeat: number): Promise<StartSamples> {
  const samples: StartSamples = { installed: [], sources: [] }
  for (let repetition = 0; repetition <= repeat; repetition++)
    for (const program of Object.keys(samples) as Program[]) {
      const ms = await startOnce(program)
      if (repetition > 0) samples[program].push(ms)
    }
  return samples
}

async function startOnce(program: Program): Promise<number> {
  const directory = temporaryDirectory('bench')
  chmodSync(directory, 0o777)
  try {
    // No server is needed until a client logs in.
    const onwardPort = await freePort()
    const began = performance.now()
    const { process } = await startOurEdge(program, onwardPort, directory)
    const ms = performance.now() - began
    await process.stop()
    return ms
  } finally {
    await removeTemporaryDirectory(directory)
  }
}
