/** `imapfleet top`: an edge's numbers, each second, straight from its own port, with no control plane around. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { edgeStats } from '../api.ts'
import { Failure, usage } from '../failure.ts'
import { durationArgument } from '../options.ts'
import { edgeScreen, type Look } from '../print/edge-screen.ts'
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
      const first = { stats: await edgeStats(edge), at: Date.now() }
      if (options.once) {
        shell.answer(command, first.stats, (page) => edgeScreen(first, undefined, page))
        return
      }
      if (!shell.stdout.isTTY) throw usage('top needs a terminal: use --once in a script')
      await show(edge, first, Math.max(100, options.every), shell)
    })
}

async function show(edge: URL, first: Look, everyMs: number, shell: Shell): Promise<void> {
  const left = new AbortController()
  const done = AbortSignal.any([left.signal, shell.untilStopped()])
  const screen = openScreen(shell, () => left.abort())
  let look = first
  let before: Look | undefined
  let trouble: string | undefined
  try {
    while (!done.aborted) {
      screen.draw(() => {
        const page = shell.page()
        const head = trouble === undefined ? [] : [page.paint('red', staleText(look, trouble))]
        return [...head, ...edgeScreen(look, before, page), '', page.paint('dim', 'q: leave')]
      })
      await pause(everyMs, undefined, { signal: done }).catch(() => undefined)
      if (done.aborted) return
      try {
        const stats = await edgeStats(edge, done)
        before = look
        look = { stats, at: Date.now() }
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

const staleText = (look: Look, trouble: string) => `numbers of ${ago(look.at, Date.now())}: ${safe(trouble)}`
