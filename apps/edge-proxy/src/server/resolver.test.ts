import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Resolver } from './resolver.ts'

const never = AbortSignal.any([])

/** A resolver with lookups that the test answers and a clock that it sets. */
function resolverAtWork(resolveEveryMs = 1000) {
  const clock = { now: 1_000_000 }
  const asked: { host: string; answer: (...addresses: string[]) => void; fail: (error: Error) => void }[] = []
  const resolver = new Resolver(
    (host) =>
      new Promise((resolve, fail) =>
        asked.push({ host, answer: (...found) => resolve(found.map((address) => ({ address }))), fail }),
      ),
    () => clock.now,
  )
  const config = (...hosts: string[]) => ({ hosts, addressFamily: 'any' as const, resolveEveryMs })
  return { resolver, clock, asked, config }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('24 simultaneous logins share one lookup, and each gets its answer', async () => {
  const { resolver, asked, config } = resolverAtWork()
  const mail = config('mail.example.org')
  const waiting = Array.from({ length: 24 }, () => {
    resolver.refresh(mail)
    return resolver.nextAnswer(mail, 60_000, never)
  })
  assert.equal(asked.length, 1)
  asked[0]!.answer('192.0.2.1', '192.0.2.2')
  assert.ok((await Promise.all(waiting)).every(Boolean))
  assert.deepEqual(
    resolver.known(mail).map(({ address }) => address),
    ['192.0.2.1', '192.0.2.2'],
  )
})

test('an answer is renewed before it expires, and used until a new one arrives, however long that takes', async () => {
  const { resolver, clock, asked, config } = resolverAtWork()
  const mail = config('mail.example.org')
  const known = () => resolver.known(mail).map(({ address }) => address)
  resolver.refresh(mail)
  asked[0]!.answer('192.0.2.1')
  await turn()
  clock.now += 749
  resolver.refresh(mail)
  assert.equal(asked.length, 1)
  clock.now += 1
  resolver.refresh(mail)
  assert.equal(asked.length, 2)
  // The name server does not answer.
  for (let hour = 0; hour < 24; hour++) {
    clock.now += 3_600_000
    resolver.refresh(mail)
    assert.deepEqual(known(), ['192.0.2.1'])
  }
  assert.equal(asked.length, 2)
  asked[1]!.answer('192.0.2.9')
  await turn()
  assert.deepEqual(known(), ['192.0.2.9'])
})

test('after a failed lookup the last answer is used, the failure is reported, and the lookup is repeated', async () => {
  const { resolver, clock, asked, config } = resolverAtWork()
  const mail = config('mail.example.org')
  resolver.refresh(mail)
  asked[0]!.answer('192.0.2.1')
  await turn()
  clock.now += 1000
  resolver.refresh(mail)
  asked[1]!.fail(Object.assign(new Error('getaddrinfo EAI_AGAIN mail.example.org'), { code: 'EAI_AGAIN' }))
  await turn()
  assert.equal(resolver.known(mail).length, 1)
  assert.match(resolver.failures(mail).get('mail.example.org')!, /EAI_AGAIN.*last addresses are used/)
  resolver.refresh(mail)
  assert.equal(asked.length, 2)
  clock.now += 250
  resolver.refresh(mail)
  asked[2]!.answer('192.0.2.2')
  await turn()
  assert.equal(resolver.failures(mail).size, 0)
})

test('a name that never had an answer fails for a second after each lookup, and is then looked up again', async () => {
  const { resolver, clock, asked, config } = resolverAtWork(30_000)
  const mail = config('mail.example.org')
  resolver.refresh(mail)
  const waiting = resolver.nextAnswer(mail, 60_000, never)
  asked[0]!.fail(new Error('no such name'))
  assert.equal(await waiting, true)
  resolver.refresh(mail)
  assert.equal(await resolver.nextAnswer(mail, 60_000, never), false)
  assert.match(resolver.failures(mail).get('mail.example.org')!, /no such name/)
  clock.now += 1000
  resolver.refresh(mail)
  assert.equal(asked.length, 2)
})

test('a name server that does not answer delays neither other names nor addresses, and a wait ends in time or by its signal', async () => {
  const { resolver, asked, config } = resolverAtWork()
  const both = config('silent.example.org', '192.0.2.7', 'mail.example.org')
  resolver.refresh(both)
  asked[1]!.answer('192.0.2.1')
  await turn()
  assert.deepEqual(
    resolver.known(both).map(({ address }) => address),
    ['192.0.2.7', '192.0.2.1'],
  )
  assert.equal(await resolver.nextAnswer(both, 10, never), false)
  const abandoning = new AbortController()
  const waiting = resolver.nextAnswer(both, 600_000, abandoning.signal)
  abandoning.abort()
  assert.equal(await waiting, false)
})

test('each address family of a name has its own answer', async () => {
  const { resolver, asked, config } = resolverAtWork()
  const ipv4 = { ...config('mail.example.org'), addressFamily: 'ipv4' as const }
  const ipv6 = { ...config('mail.example.org'), addressFamily: 'ipv6' as const }
  resolver.refresh(ipv4)
  resolver.refresh(ipv6)
  asked[0]!.answer('192.0.2.1')
  asked[1]!.answer('2001:db8::1')
  await turn()
  assert.deepEqual(resolver.known(ipv6), [{ host: 'mail.example.org', address: '2001:db8::1' }])
})

test('a name that is no longer configured is removed', async () => {
  const { resolver, asked, config } = resolverAtWork()
  const [one, two] = [config('one.example.org'), config('two.example.org')]
  resolver.refresh(one)
  resolver.refresh(two)
  asked[0]!.answer('192.0.2.1')
  asked[1]!.answer('192.0.2.2')
  await turn()
  resolver.keepOnly([two])
  assert.deepEqual([resolver.known(one).length, resolver.known(two).length], [0, 1])
})
