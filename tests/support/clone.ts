/** A second clone of this repository as it stands, with the packages of the first: what a quickstart needs to itself. */
import { cp, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { removeTemporaryDirectory, repository, temporaryDirectory } from '@imapfleet/local'
import { z } from 'zod'
import { startCommand, type Running } from './command.ts'
import { until } from './until.ts'

/** The keys that other programs rely on, and no others. */
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
    // A directory of links and not one link: if anything ever installs here, it replaces links and not packages.
    const packages = join(directory, 'node_modules')
    await mkdir(packages)
    for (const name of await readdir(join(repository, 'node_modules')))
      if (name !== '.cache') await symlink(join(repository, 'node_modules', name), join(packages, name))
    return new Clone(directory)
  }

  async remove(): Promise<void> {
    // What a failed test has left; its parts go with it.
    for (const { child } of this.#started)
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
        process.kill(-child.pid, 'SIGKILL')
    await removeTemporaryDirectory(this.directory)
  }

  /** `npm run quickstart`, as npm calls it. */
  quickstart(...args: string[]): Running {
    const words = ['run', '--silent', 'quickstart', '--', ...args]
    const running = startCommand('npm', words, { cwd: this.directory, ownGroup: true })
    this.#started.push(running)
    return running
  }

  /** Ctrl-C in the terminal of a quickstart: every process of the foreground is told. */
  interrupt({ child }: Running): void {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
  }

  /** Starts it and waits until it says that it is ready. */
  async start(...args: string[]): Promise<{ running: Running; facts: QuickstartFacts }> {
    await rm(this.factsFile, { force: true })
    const running = this.quickstart(...args)
    const facts = await until(
      'a quickstart that is ready',
      async () => {
        if (running.child.exitCode !== null) throw new Error(`it ended: ${running.stderr()}`)
        return (await this.facts()) ?? false
      },
      60_000,
    )
    return { running, facts }
  }

  /** Undefined while it says nothing. */
  async facts(): Promise<QuickstartFacts | undefined> {
    const text = await readFile(this.factsFile, 'utf8').catch(() => undefined)
    return text === undefined ? undefined : factsSchema.parse(JSON.parse(text))
  }

  /** The process that started all others. */
  async pid(): Promise<number> {
    const text = await readFile(join(this.directory, '.run/quickstart.pid'), 'utf8')
    return z.object({ pid: z.int() }).parse(JSON.parse(text)).pid
  }
}
