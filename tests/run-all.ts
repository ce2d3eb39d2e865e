/**
 * `npm test`, after the packages are installed: fetches the servers that the end-to-end tests need, runs `npm run
 * verify` and `npm run e2e`, and prints how many tests of both passed and failed.
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

const counts = { passed: 0, failed: 0, skipped: 0 }

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
    ['verify', ['npm', 'run', '--silent', 'verify']],
    ['e2e', ['npm', 'run', 'e2e']],
  ] as const)
    if (!(await runAndCount(command, args))) failed.push(`npm run ${name}`)
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
  if (failed.length > 0) process.stdout.write(`\nFailed: ${failed.join(', ')}\n`)
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
  return failed.length > 0 ? 1 : 0
}

/** A stock mail client. Its test is skipped if it cannot be installed. */
async function findMbsync(note: (text: string) => void): Promise<void> {
  if (findProgram('mbsync')) return
  const installed = await installPackage('isync', 'isync', note).catch((error: unknown) => {
    note(messageOf(error))
    return false
  })
  if (!installed) note('mbsync is missing, so its test is skipped; to install it: sudo apt-get install isync')
}

/** Passes the output on and adds up the counts in its last line. False if a test failed, or nothing was counted. */
function runAndCount(command: string, args: readonly string[]): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const child = spawn(command, args, { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const)
    process.once(signal, () => child.kill('SIGTERM'))
  let lastLine = ''
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk)
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    lastLine = lines.at(-1) ?? lastLine
  })
  child.on('error', () => resolve(false))
  child.on('close', (status) => resolve(addCounts(lastLine) && status === 0))
  return promise
}

/** Reads `944 passed, 0 failed, 2 skipped, in 31.0 s`. */
function addCounts(line: string): boolean {
  const [, passed, failed, skipped] = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?, in /.exec(line) ?? []
  counts.passed += Number(passed ?? 0)
  counts.failed += Number(failed ?? 0)
  counts.skipped += Number(skipped ?? 0)
  return passed !== undefined
}

process.exitCode = await main()
process.disconnect?.()
