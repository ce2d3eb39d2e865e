import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { BringUp, type PartProgress } from './bring-up.ts'
import type { Ground } from './ground.ts'
import type { LocalProcess } from './process.ts'
import { scratchGround, scratchProcess } from './scratch.ts'

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

test('parts are stopped before those that they need, in whatever order they came up', async (t) => {
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

test('progress is told: starting, notes, ready', async (t) => {
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

test('nothing is started after an abort', async (t) => {
  const ground = scratchGround()
  const bringUp = new BringUp(() => undefined, false, AbortSignal.abort())
  const child = part(t, ground, 'nats')
  const begun = bringUp.begin('nats', 'services', async () => ({ process: child }), described)
  await assert.rejects(begun, { code: 'aborted' })
  assert.equal(child.pid, undefined)
})
