import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { asAccount } from './launch.ts'
import { node } from './paths.ts'

const hasSetpriv = existsSync('/usr/bin/setpriv')

test('a child does not outlive a parent that is killed with -9', { skip: !hasSetpriv }, async () => {
  const parent = spawn(
    node,
    [
      '--input-type=module',
      '-e',
      `import { launch } from ${JSON.stringify(new URL('launch.ts', import.meta.url).href)}
       const child = launch({ command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], env: process.env,
         cwd: '/', log: 2, deathSignal: 'SIGTERM', account: undefined })
       console.log(child.pid)`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const [said] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(said.toString())
  assert.ok(isAlive(pid))
  // setpriv sets the signal before it becomes the program.
  while (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('setpriv')) await pause(10)
  parent.kill('SIGKILL')
  // It is not our child, so no event reports its end.
  while (isAlive(pid)) await pause(10)
})

test('an account that cannot reach its files gets this right and no other', { skip: !hasSetpriv }, () => {
  const account = { uid: 1234, gid: 1235, user: 'someone', group: 'someone', needsWay: true }
  const { args } = asAccount('/bin/true', ['x'], account)
  assert.deepEqual(args.slice(0, 5), ['--reuid', '1234', '--regid', '1235', '--clear-groups'])
  assert.deepEqual(args.slice(5), [
    '--securebits=+no_setuid_fixup',
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=-all,+dac_override',
    '/bin/true',
    'x',
  ])
  assert.ok(
    !asAccount('/bin/true', [], { ...account, needsWay: false })
      .args.join(' ')
      .includes('caps'),
  )
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
