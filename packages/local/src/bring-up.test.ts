import assert from 'node:assert/strict'
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BringUp, type PartProgress } from './bring-up.ts'
import type { Ground } from './ground.ts'
import { processOf, stopLeftovers } from './leftover.ts'
import type { LocalProcess } from './process.ts'
import { scratchGround, scratchProcess } from './scratch.ts'
import { startMark } from './start-mark.ts'

/** A child that reports when it is up, and writes its name to a shared file when it is told to stop. */
const part = (t: TestContext, ground: Ground, name: string): LocalProcess =>
  scratchProcess(
    t,
    ground,
    `process.on('SIGTERM', () => { require('fs').appendFileSync('ends', '${name} '); process.exit() });
     console.log('up'); setInterval(() => {}, 1000)`,
    {
      name,
      isReady: async () => readFileSync(`${ground.directory}/logs/${name}.log`, 'utf8').includes('up'),
    },
  )

const described = () => ({ version: '1', place: 'here' })

test('a part is stopped before the parts that it needs, in any order of starting', async (t) => {
  const ground = scratchGround()
  const bringUp = new BringUp(() => undefined, false, undefined)
  for (const [name, layer] of [
    ['nats', 'services'],
    ['edge', 'edges'],
    ['control', 'control'],
  ] as const)
    await bringUp.begin(name, layer, async () => ({ process: part(t, ground, name) }), described)
  await bringUp.stop()
  assert.equal(readFileSync(`${ground.directory}/ends`, 'utf8'), 'edge control nats ')
})

test('progress is reported: starting, notes, ready', async (t) => {
  const ground = scratchGround()
  const told: PartProgress[] = []
  const bringUp = new BringUp((progress) => told.push(progress), false, undefined)
  const prepare = async (note: (text: string) => void) => {
    note('unpacking')
    return { process: part(t, ground, 'nats') }
  }
  await bringUp.begin('nats', 'services', prepare, described)
  await bringUp.stop()
  assert.deepEqual(told, [
    { part: 'nats', state: 'starting', note: '' },
    { part: 'nats', state: 'starting', note: 'unpacking' },
    { part: 'nats', state: 'ready', version: '1', place: 'here' },
  ])
})

test('a part that is killed is started again, and not after a stop', async (t) => {
  const ground = scratchGround()
  const back = Promise.withResolvers<void>()
  let readies = 0
  const say = ({ state }: PartProgress) => {
    if (state === 'ready' && ++readies === 2) back.resolve()
  }
  const bringUp = new BringUp(say, true, undefined)
  const child = part(t, ground, 'nats')
  await bringUp.begin('nats', 'services', async () => ({ process: child }), described)
  const first = child.pid
  await child.kill()
  await back.promise
  assert.ok(child.pid !== undefined && child.pid !== first)
  await bringUp.stop()
  assert.equal(child.pid, undefined)
  assert.equal(readies, 2)
})

/** On SIGUSR2 it starts another process like itself and ends, as an edge does. Both write their pids to the log. */
const successive = (t: TestContext, ground: Ground): LocalProcess => {
  const script = `process.on('SIGUSR2', () => {
      require('child_process').spawn(process.execPath, process.execArgv.concat(process.argv.slice(1)), { stdio: 'inherit' });
      setTimeout(() => process.exit(), 50)
    });
    console.log('up ' + process.pid + '.'); setInterval(() => {}, 1000)`
  writeFileSync(`${ground.directory}/edge.js`, script)
  const child = scratchProcess(t, ground, '', {
    name: 'edge',
    args: [`${ground.directory}/edge.js`],
    handsOver: true,
    isReady: async () => pidsOf(ground).length > 0,
  })
  t.after(() => child.stop())
  return child
}

/** Of the processes that were up, the first one first. */
const pidsOf = ({ directory }: Ground): number[] =>
  [...readFileSync(`${directory}/logs/edge.log`, 'utf8').matchAll(/up (\d+)\./g)].map(([, pid]) =>
    Number(pid),
  )

test('a part that was handed over to another process is not restarted before the other process has ended', async (t) => {
  const ground = scratchGround()
  const troubles: string[] = []
  const [trouble, back] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let readies = 0
  const bringUp = new BringUp(
    (progress) => {
      if (progress.state === 'trouble') {
        troubles.push(progress.line)
        trouble.resolve()
      }
      if (progress.state === 'ready' && ++readies === 2) back.resolve()
    },
    true,
    undefined,
  )
  t.after(() => bringUp.stop())
  const edge = successive(t, ground)
  await bringUp.begin('edge', 'edges', async () => ({ process: edge }), described)
  edge.send('SIGUSR2')
  await edge.exited()
  await untilTrue(() => pidsOf(ground).length === 2)
  assert.equal(edge.isHandedOver, true)
  assert.ok(existsSync(`${ground.directory}/pids/edge.json`))
  // The second one hands over too. Nothing was restarted meanwhile.
  const second = pidsOf(ground)[1]!
  process.kill(second, 'SIGUSR2')
  await untilTrue(() => !isAlive(second) && pidsOf(ground).length === 3)
  assert.deepEqual([edge.isHandedOver, troubles], [true, []])
  process.kill(pidsOf(ground)[2]!, 'SIGKILL')
  await trouble.promise
  await back.promise
  assert.deepEqual(troubles, ['the process that took over has ended, restarting it'])
  await untilTrue(() => pidsOf(ground).length === 4)
  edge.send('SIGUSR2')
  await edge.exited()
  await untilTrue(() => pidsOf(ground).length === 5)
  await bringUp.stop()
  assert.equal(edge.isHandedOver, false)
  assert.ok(!isAlive(pidsOf(ground)[4]!))
  assert.ok(!existsSync(`${ground.directory}/pids/edge.json`))
})

test('the process that took over is stopped at the next start if it was left running', async (t) => {
  const ground = scratchGround()
  const edge = successive(t, ground)
  await edge.start()
  edge.send('SIGUSR2')
  await edge.exited()
  await untilTrue(() => pidsOf(ground).length === 2)
  const [, taker = 0] = pidsOf(ground)
  const file = `${ground.directory}/pids/edge.json`
  // As if it were from before a restart of the machine.
  utimesSync(file, 1, 1)
  assert.equal(processOf(file), undefined)
  assert.ok(isAlive(taker))
  utimesSync(file, new Date(), new Date())
  await stopLeftovers(`${ground.directory}/pids`)
  assert.ok(!isAlive(taker))
  assert.ok(!existsSync(file))
})

const isAlive = (pid: number): boolean => startMark(pid) !== undefined

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5)
}

test('nothing is started after an abort', async (t) => {
  const ground = scratchGround()
  const bringUp = new BringUp(() => undefined, false, AbortSignal.abort())
  const child = part(t, ground, 'nats')
  const begun = bringUp.begin('nats', 'services', async () => ({ process: child }), described)
  await assert.rejects(begun, { code: 'aborted' })
  assert.equal(child.pid, undefined)
})
