/**
 * `npm test`, after the packages are installed: fetches the servers that the end-to-end tests need, runs `npm run
 * verify` and `npm run e2e`, and ends with one line that counts the tests of both.
 */
import { spawn } from 'node:child_process'
import {
  findDovecot,
  findNatsServer,
  findProgram,
  installPackage,
  LocalError,
  messageOf,
  repository,
} from '@imapfleet/local'

const counts = { pass: 0, fail: 0, skipped: 0 }

async function main(): Promise<number> {
  try {
    const note = (text: string) => void process.stdout.write(`${text}\n`)
    await findNatsServer(note)
    await findDovecot(note)
    await findMbsync(note)
  } catch (error) {
    if (!(error instanceof LocalError)) throw error
    process.stderr.write(`npm test: ${error.message}\n`)
    return 1
  }
  const failed: string[] = []
  for (const [name, [command, ...args]] of [
    // What `npm run verify` does, but with the output of tasks that succeed: the counts are in it.
    ['verify', ['turbo', 'run', 'verify:all', '--continue', '--output-logs=full']],
    ['e2e', ['npm', 'run', 'e2e']],
  ] as const)
    if ((await runAndCount(command, args)) !== 0) failed.push(`npm run ${name}`)
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
  if (failed.length > 0) process.stdout.write(`\nFailed: ${failed.join(', ')}\n`)
  process.stdout.write(`\n${counts.pass} passed, ${counts.fail} failed${skipped}\n`)
  return failed.length > 0 ? 1 : 0
}

/** A stock client that the edge is tried with: its test is skipped where it cannot be had. */
async function findMbsync(note: (text: string) => void): Promise<void> {
  if (findProgram('mbsync')) return
  const installed = await installPackage('isync', 'isync', note).catch((error: unknown) => {
    note(messageOf(error))
    return false
  })
  if (!installed) note('mbsync is missing, its test is skipped: sudo apt-get install isync')
}

/** Shows what it prints, and adds up the closing lines of Node's test runner in it. */
function runAndCount(command: string, args: readonly string[]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const child = spawn(command, args, { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const)
    process.once(signal, () => child.kill('SIGTERM'))
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk)
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) count(line)
  })
  child.on('error', () => resolve(1))
  child.on('close', (status) => resolve(status ?? 1))
  return promise
}

/** `ℹ pass 12` or `# pass 12`, behind the task's name when turbo shows it. */
function count(line: string): void {
  const match = /(?:ℹ|#) (pass|fail|skipped) (\d+)\s*$/.exec(line)
  const kind = match?.[1]
  if (kind === 'pass' || kind === 'fail' || kind === 'skipped') counts[kind] += Number(match?.[2])
}

process.exitCode = await main()
process.disconnect?.()
