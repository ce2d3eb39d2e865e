/**
 * `imapfleet top`: the whole fleet every second, from one stream of the control plane; or one edge, as pimpstat shows
 * it, from the HTTP port of the edge without a control plane.
 */
import { problemDetailsSchema, safe } from '@imapfleet/api'
import { clientOf } from '@imapfleet/client'
import { edgeStatsSchema } from '@imapfleet/protocol'
import { pause } from '@imapfleet/retry'
import { Option, type Command } from 'commander'
import { failureOf, usage } from '../failure.ts'
import { liveFleet, type LiveView } from '../live-fleet.ts'
import { durationOption } from '../options.ts'
import { edgeScreen, type StatsReading } from '../print/edge-screen.ts'
import { firstChoice, press, sorted, sortings, type Sorting } from '../print/fleet-choice.ts'
import { fleetScreen, helpFor } from '../print/fleet-screen.ts'
import { openScreen } from '../print/screen.ts'
import { ago } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { parseServer } from '../target.ts'

interface TopOptions {
  edge?: string
  once?: true
  every: number
  region?: string
  sort: Sorting
}

const examples = `
Examples:
  imapfleet top
  imapfleet top --region eu --sort errors
  imapfleet top --once --output json |
    jq '.edges[] | select(.state == "silent") | .id'
  imapfleet top --edge http://127.0.0.1:9143   one edge, without control`

export function addTop(parent: Command, shell: Shell): void {
  parent
    .command('top')
    .description('watch the fleet, problems first, or one edge as pimpstat does; ? shows the keys')
    .option('--region <region>', 'only edges of this region')
    .addOption(
      new Option('--sort <column>', 'sort by this column').choices(Object.keys(sortings)).default('problems'),
    )
    .option('--edge <url>', 'one edge, by the URL of its HTTP port, such as http://127.0.0.1:9143')
    .option('--once', 'print once and exit')
    .addOption(durationOption('--every <duration>', 'interval between queries of one edge', '1s'))
    .addHelpText('after', examples)
    .action(async (options: TopOptions, command: Command) => {
      if (!options.once && !shell.stdout.isTTY) throw usage('top needs a terminal: use --once in a script')
      if (options.edge === undefined) await topOfFleet(options, command, shell)
      else await topOfEdge(edgeAt(parseServer(options.edge)), options, command, shell)
    })
}

/** The HTTP port of an edge, which needs no token. */
const edgeAt = (server: URL) =>
  clientOf(
    {
      routes: { readStats: { method: 'GET', path: '/stats', answer: edgeStatsSchema } },
      problem: problemDetailsSchema,
    },
    { server },
  )
type EdgePort = ReturnType<typeof edgeAt>

async function topOfEdge(edge: EdgePort, options: TopOptions, command: Command, shell: Shell): Promise<void> {
  const first = { stats: await edge.call('readStats'), at: Date.now() }
  if (options.once) shell.answer(command, first.stats, (page) => edgeScreen(first, undefined, page))
  else await watchEdge(edge, first, Math.max(100, options.every), shell)
}

async function topOfFleet(options: TopOptions, command: Command, shell: Shell): Promise<void> {
  const client = await shell.client(command)
  const left = new AbortController()
  const done = AbortSignal.any([left.signal, shell.untilStopped()])
  const views = liveFleet(client, options.region, done)
  const choice = firstChoice(options.sort)
  const first = await views.next()
  if (first.done) return
  if (options.once) {
    left.abort()
    const { edges, at } = first.value
    const data = { at: new Date(at).toISOString(), edges: sorted(edges, choice.sorting) }
    return shell.answer(command, data, (page) => [
      ...fleetScreen(first.value, choice, page, Date.now()).lines,
    ])
  }
  let view: LiveView = first.value
  let visible = 1
  const screen = openScreen(
    shell,
    () => left.abort(),
    (key) => press(choice, key, { edges: view.edges, visible }),
  )
  const picture = (rows: number) => {
    if (choice.isHelp) return helpFor(shell.page().width, rows)
    const drawn = fleetScreen(view, choice, shell.page(), Date.now(), { rows, keys: keysLine })
    choice.top = drawn.top
    visible = drawn.visible
    return drawn.lines
  }
  try {
    screen.draw(picture)
    for await (view of views) screen.draw(picture)
  } finally {
    screen.close()
  }
}

const keysLine = ['? help', '/ filter', 'g region', 'sort: p n s r a c e l', 'arrows scroll', 'q quit']

async function watchEdge(edge: EdgePort, first: StatsReading, everyMs: number, shell: Shell): Promise<void> {
  const left = new AbortController()
  const done = AbortSignal.any([left.signal, shell.untilStopped()])
  const screen = openScreen(shell, () => left.abort())
  let look = first
  let before: StatsReading | undefined
  let trouble: string | undefined
  try {
    while (!done.aborted) {
      screen.draw(() => {
        const page = shell.page()
        const head = trouble === undefined ? [] : [page.paint('red', staleText(look, trouble))]
        return [...head, ...edgeScreen(look, before, page), '', page.paint('dim', 'q: leave')]
      })
      await pause(everyMs, done)
      if (done.aborted) return
      try {
        const stats = await edge.call('readStats', { signal: done })
        before = look
        look = { stats, at: Date.now() }
        trouble = undefined
      } catch (error) {
        if (done.aborted) return
        const failure = failureOf(error)
        if (!failure) throw error
        trouble = failure.message
      }
    }
  } finally {
    screen.close()
  }
}

const staleText = (look: StatsReading, trouble: string) =>
  `figures from ${ago(look.at, Date.now())}: ${safe(trouble)}`
