/** Records the IMAP dialogue of browsing sessions with a server on this machine, for tests of what expects commands. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { condenseDialogue } from './condense.ts'
import { startPagesLine } from './line.ts'
import { playSession } from './measure.ts'
import { DialogueFile } from './dialogue-file.ts'

const recordedSeeds = [1, 2, 3]

export async function recordSessions(directory: string, shorter: number): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const line = await startPagesLine({ contestant: 'direct', delayMs: 0, mailboxSeed: 1 })
  try {
    for (const seed of recordedSeeds) {
      const file = join(directory, `roundcube-${seed}.jsonl`)
      const recording = new DialogueFile(file)
      line.tap.onPassed = (passed) => recording.passed(passed)
      const onPage = (kind: string, what: string) => recording.page(kind, what)
      const { pages } = await playSession(line, { seed, pauseMs: 30, shorter, onPage })
      line.tap.onPassed = undefined
      await recording.end()
      condenseDialogue(file, join(directory, `roundcube-${seed}.pages.jsonl`))
      console.log(`${file}: ${pages.length} pages`)
    }
  } finally {
    await line.stop()
  }
}
