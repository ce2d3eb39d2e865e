import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideBoot, runningBeside, type KnownBoot } from './boots.ts'

type Beat = Parameters<typeof decideBoot>[1]

/** An edge that is fed heartbeats, one every five seconds unless a test says otherwise. */
function edge() {
  let known: KnownBoot | undefined
  let now = 0
  return {
    /** What control decides about this heartbeat. */
    beat(
      boot: string,
      sequence: number | undefined,
      { later = 5_000, ...more }: Partial<Beat> & { later?: number } = {},
    ) {
      now += later
      const beat: Beat = { boot, region: 'eu', sequence, state: 'serving', heartbeatMs: 5_000, ...more }
      const take = (otherBoots: KnownBoot['otherBoots']) =>
        (known = {
          boot,
          region: beat.region,
          sequence: sequence ?? null,
          state: beat.state,
          silent: false,
          lastSeenAt: new Date(now),
          otherBoots,
        })
      if (!known) return void take([])
      if (boot === known.boot && (sequence ?? 0) > (known.sequence ?? 0)) return void take(known.otherBoots)
      known.silent = now - known.lastSeenAt.getTime() > 15_000
      const decision = decideBoot(known, beat, now)
      if (decision.kind === 'take') take(decision.others)
      if (decision.kind === 'note') known.otherBoots = decision.others
      return decision
    },
    get boot() {
      return known?.boot
    },
    get beside() {
      return runningBeside(known?.otherBoots ?? [], now - 15_000)
    },
  }
}

test('a restart replaces the boot, and is not two instances', () => {
  const it = edge()
  it.beat('a', 1)
  it.beat('a', 2)
  it.beat('a', 3, { state: 'stopping' })
  it.beat('b', 1)
  it.beat('b', 2)
  assert.deepEqual([it.boot, it.beside], ['b', []])
})

test('the heartbeats of a boot that is stopping are not a second instance, however long it takes', () => {
  const it = edge()
  it.beat('a', 1)
  for (let sequence = 2; sequence < 12; sequence++) {
    it.beat('b', sequence - 1, { later: 2_500 })
    assert.equal(it.beat('a', sequence, { later: 2_500, state: 'stopping' })?.kind, 'ignore')
  }
  assert.deepEqual([it.boot, it.beside], ['b', []])
})

test('two boots that beat alternately are two instances, told once, and the later one is shown', () => {
  const it = edge()
  it.beat('a', 1)
  const told: boolean[] = []
  for (let sequence = 2; sequence < 10; sequence++) {
    it.beat('b', sequence, { later: 2_500 })
    const decision = it.beat('a', sequence, { later: 2_500 })
    assert.ok(decision?.kind === 'note')
    told.push(decision.isSecondInstance)
    assert.equal(it.boot, 'b')
  }
  assert.deepEqual(it.beside, ['a'])
  assert.deepEqual(told, [false, true, false, false, false, false, false, false])
})

test('three instances are three', () => {
  const it = edge()
  for (let sequence = 1; sequence < 8; sequence++)
    for (const boot of ['a', 'b', 'c']) it.beat(boot, sequence, { later: 1_600 })
  assert.deepEqual([it.boot, it.beside.toSorted()], ['c', ['a', 'b']])
})

test('heartbeats of an earlier boot that were held up together are not a second instance', () => {
  const it = edge()
  it.beat('a', 1)
  it.beat('b', 1)
  for (const sequence of [2, 3, 4, 5]) it.beat('a', sequence, { later: 10 })
  it.beat('b', 2)
  assert.deepEqual([it.boot, it.beside], ['b', []])
})

test('when the later instance ends, the earlier one is shown again, and there are no longer two', () => {
  const it = edge()
  it.beat('a', 1)
  for (let sequence = 2; sequence < 6; sequence++) {
    it.beat('b', sequence, { later: 2_500 })
    it.beat('a', sequence, { later: 2_500 })
  }
  for (let sequence = 6; sequence < 12; sequence++) it.beat('a', sequence)
  assert.deepEqual([it.boot, it.beside], ['a', []])
})

test('a late heartbeat changes nothing, from the present boot and from an earlier one', () => {
  const it = edge()
  it.beat('a', 4)
  assert.equal(it.beat('a', 3)?.kind, 'ignore')
  it.beat('b', 1)
  assert.equal(it.beat('a', 4)?.kind, 'ignore')
  // Nor when the later boot has been silent for long.
  assert.equal(it.beat('a', 4, { later: 60_000 })?.kind, 'ignore')
  assert.equal(it.boot, 'b')
})

test('an edge that moves to another region is taken over, also within a boot', () => {
  const it = edge()
  it.beat('a', 4)
  assert.equal(it.beat('a', 4, { region: 'us' })?.kind, 'take')
})
