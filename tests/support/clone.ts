/** A copy of this repository with links to its packages, so that a quickstart has its own clone. */
import { cp, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { removeTemporaryDirectory, repository, temporaryDirectory } from '@imapfleet/local'
import { z } from 'zod'
import { startCommand, type Running } from './command.ts'
import { script } from './documents.ts'
import { until } from './until.ts'

/** Exactly the keys that other programs rely on. */
const factsSchema = z.strictObject({
  edges: z.array(
    z.strictObject({
      id: z.string(),
      region: z.string(),
      imapPort: z.int(),
      httpPort: z.int(),
    }),
  ),
  api: z.url(),
  token: z.string().min(20),
  upstream: z.string().regex(/:\d+$/),
  users: z.array(z.strictObject({ user: z.string(), password: z.string() })),
})
export type QuickstartFacts = z.infer<typeof factsSchema>

const unwanted = new Set(['node_modules', '.git', '.run'])

export class Clone {
  readonly directory: string
  readonly factsFile: string

  readonly #started: Running[] = []

  private constructor(directory: string) {
    this.directory = directory
    this.factsFile = join(directory, '.run/quickstart.json')
  }

  static async make(): Promise<Clone> {
    const directory = temporaryDirectory('clone')
    await cp(repository, directory, { recursive: true, filter: (path) => !unwanted.has(basename(path)) })
    // A directory of links, not one link: an installation in the copy replaces links, not the packages of this clone.
    const packages = join(directory, 'node_modules')
    await mkdir(packages)
    for (const name of await readdir(join(repository, 'node_modules')))
      if (name !== '.cache') await symlink(join(repository, 'node_modules', name), join(packages, name))
    return new Clone(directory)
  }

  async remove(): Promise<void> {
    // A quickstart that a failed test left running. Its parts stop with it.
    for (const { child } of this.#started)
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
        process.kill(-child.pid, 'SIGKILL')
    await removeTemporaryDirectory(this.directory)
  }

  /** Runs the command of README, with further arguments. */
  quickstart(...args: string[]): Running {
    const command = script('README.md', 'npm run quickstart').trim()
    const line = args.length === 0 ? command : `${command} -- ${args.join(' ')}`
    const running = startCommand('sh', ['-c', `exec ${line}`], { cwd: this.directory, ownGroup: true })
    this.#started.push(running)
    return running
  }

  /** As Ctrl-C in a terminal: every process of the foreground gets the signal. */
  interrupt({ child }: Running): void {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
  }

  /** Starts a quickstart and waits until it is ready. */
  async start(...args: string[]): Promise<{ running: Running; facts: QuickstartFacts }> {
    await rm(this.factsFile, { force: true })
    const running = this.quickstart(...args)
    const facts = await until(
      'a quickstart that is ready',
      async () => (running.child.exitCode === null ? await this.facts() : 'ended'),
      180_000,
    )
    // Waiting longer would not help.
    if (facts === 'ended') throw new Error(`the quickstart ended: ${running.stderr()}`)
    return { running, facts }
  }

  /** Undefined while there is no such file. */
  async facts(): Promise<QuickstartFacts | undefined> {
    const text = await readFile(this.factsFile, 'utf8').catch(() => undefined)
    return text === undefined ? undefined : factsSchema.parse(JSON.parse(text))
  }

  /** The process that started all parts. */
  async pid(): Promise<number> {
    const text = await readFile(join(this.directory, '.run/quickstart.pid'), 'utf8')
    return z.object({ pid: z.int() }).parse(JSON.parse(text)).pid
  }
}
