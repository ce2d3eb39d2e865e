/**
 * Runs before TypeScript can: plain JavaScript for any Node from 18 on, without packages. Installs the packages of
 * package-lock.json if they are missing, then starts the pinned Node among them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const pinned = `${root}/node_modules/.bin/node`

/** Makes node_modules match package-lock.json. Ends the process with one line if that fails. */
export async function installPackages() {
  if (packagesAreCurrent()) return
  const since = Date.now()
  process.stdout.write('Installing packages (npm ci) ...')
  const { status, output } = await npm('ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund')
  const seconds = ((Date.now() - since) / 1000).toFixed(1)
  process.stdout.write(status === 0 ? ` done in ${seconds} s\n` : ' failed\n')
  if (status !== 0) {
    const lines = output.trim().split('\n').slice(-15)
    fail(
      `${lines.join('\n')}\nnpm ci failed, see above: is the package registry reachable and ${root} writable?`,
    )
  }
}

/** Compares installed and locked packages by name and version, because file times mean nothing in a fresh clone. */
function packagesAreCurrent() {
  const installed = readLock(`${root}/node_modules/.package-lock.json`)
  const locked = readLock(`${root}/package-lock.json`)
  if (!installed || !locked || !existsSync(findNode() ?? '')) return false
  return Object.entries(locked).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true
    if (entry.optional) return !installed[path] || installed[path].version === entry.version
    return installed[path] && installed[path].version === entry.version && existsSync(`${root}/${path}`)
  })
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** The npm that started this script, or npm from the PATH. */
function npm(...args) {
  const script = process.env.npm_execpath
  const [command, first] = script ? [process.execPath, [script]] : ['npm', []]
  return new Promise((resolve) => {
    const child = spawn(command, [...first, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => resolve({ status: 1, output: error.message }))
    child.on('close', (status) => resolve({ status, output }))
  })
}

/** The pinned Node; on other platforms Node of the machine, if it is new enough. */
function findNode() {
  if (existsSync(pinned) && spawnSync(pinned, ['--version']).status === 0) return pinned
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18) ? process.execPath : undefined
}

/** Runs a command with the pinned Node, as if it replaced this process. Resolves with its exit status. */
export function runNode(args) {
  const node = findNode()
  if (!node)
    fail(`no Node for ${process.platform}-${process.arch} comes with imapfleet: install Node 22.18 or later`)
  const child = spawn(node, args, {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${root}/node_modules/.bin:${process.env.PATH ?? ''}`,
      // Compiled code is kept, so that the second start is faster.
      NODE_COMPILE_CACHE: `${root}/node_modules/.cache/node`,
    },
    // The channel tells the child when this process has ended, even by kill -9.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  const npmIsGone = watchNpm()
  const watch = setInterval(() => npmIsGone() && child.kill('SIGTERM'), 500)
  return new Promise((resolve) => {
    child.on('error', (error) => fail(error.message))
    child.on('exit', (status, signal) => {
      clearInterval(watch)
      resolve(signal ? 1 : (status ?? 1))
    })
  })
}

/** No signal reports that npm was killed. A changed parent process, or parent of its shell, shows it. */
function watchNpm() {
  if (!process.env.npm_lifecycle_event) return () => false
  const parent = process.ppid
  const isShell = /sh\0-c\0/.test(readProc(parent, 'cmdline'))
  const grandparent = () => (isShell ? / \S (\d+) /.exec(readProc(parent, 'stat'))?.[1] : undefined)
  const first = grandparent()
  return () => process.ppid !== parent || grandparent() !== first
}

function readProc(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    return ''
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
