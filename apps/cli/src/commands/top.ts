/** `imapfleet top`: an edge's numbers, each second, straight from its own port, with no control plane around. */
import { setTimeout as pause } from 'node:timers/promises'
import type { EdgeStats } from '@imapfleet/protocol'
import type { Command } from 'commander'
import { edgeStats } from '../api.ts'
import { Failure, usage } from '../failure.ts'
import { durationArgument } from '../options.ts'
import { edgeScreen } from '../print/edge-screen.ts'
import { safe } from '../print/safe.ts'
import { openScreen } from '../print/screen.ts'
import { ago } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { parseServer } from '../target.ts'

interface TopOptions {
  edge: string
  once?: true
  every: number
}

const examples = `
Examples:
  imapfleet top --edge http://127.0.0.1:9143
  imapfleet top --edge http://127.0.0.1:9143 --once --output json | jq .gauges`

export function addTop(parent: Command, shell: Shell): void {
  parent
    .command('top')
    .description('watch the numbers of an edge, as pimpstat does; q or Ctrl-C leaves')
    .requiredOption('--edge <url>', "the edge's own HTTP port, such as http://127.0.0.1:9143")
    .option('--once', 'print the numbers once and leave')
    .option('--every <duration>', 'how often to look', durationArgument, 1000)
    .addHelpText('after', examples)
    .action(async (options: TopOptions, command: Command) => {
      const edge = parseServer(options.edge)
      const first = await edgeStats(edge)
      if (options.once) {
        shell.answer(command, first, (page) => edgeScreen(first, undefined, page))
        return
      }
      if (!shell.stdout.isTTY) throw usage('top needs a terminal: use --once in a script')
      await show(edge, first, Math.max(100, options.every), shell)
    })
}

async function show(edge: URL, first: EdgeStats, everyMs: number, shell: Shell): Promise<void> {
  const left = new AbortController()
  const done = AbortSignal.any([left.signal, shell.untilStopped()])
  const screen = openScreen(shell, () => left.abort())
  try {
    let stats = first
    let before: EdgeStats | undefined
    let answeredAt = Date.now()
    let trouble: string | undefined
    while (!done.aborted) {
      screen.draw(() => {
        const page = shell.page()
        const stale =
          trouble === undefined
            ? []
            : [page.paint('red', `stale, ${ago(answeredAt, Date.now())}: ${safe(trouble)}`)]
        return [...stale, ...edgeScreen(stats, before, page), '', page.paint('dim', 'q: leave')]
      })
      await pause(everyMs, undefined, { signal: done }).catch(() => undefined)
      try {
        const next = await edgeStats(edge, done)
        before = stats
        stats = next
        answeredAt = Date.now()
        trouble = undefined
      } catch (error) {
        if (done.aborted) return
        if (!(error instanceof Failure)) throw error
        trouble = error.message
      }
    }
  } finally {
    screen.close()
  }
}
