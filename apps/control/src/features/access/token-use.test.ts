import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { openDatabase } from '../../platform/db/database.ts'
import { createToken, listTokens } from './service.ts'
import { TokenUse } from './token-use.ts'

const home = '10.0.0.7'

suite('the last use of tokens', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  const make = async (name: string) =>
    (await createToken(deps, 'root', { name, role: 'viewer', scopes: [] })).id
  const lastUse = async (id: string) => {
    const [row] = await deps.db.sql<
      { at: Date | null }[]
    >`select last_used_at as at from tokens where id = ${id}`
    return row?.at?.getTime()
  }

  test('it is written once a minute, for all tokens at once, and never goes back', async () => {
    const from = deps.now()
    const [a, b] = [await make('a'), await make('b')]
    const use = new TokenUse(deps)
    for (let count = 0; count < 3; count++) for (const id of [a, b]) use.note(id, home)
    await use.write()
    assert.deepEqual([await lastUse(a), await lastUse(b)], [from, from])
    deps.setNow(from + 59_000)
    use.note(a, home)
    await use.write()
    assert.equal(await lastUse(a), from)
    deps.setNow(from + 60_000)
    use.note(a, home)
    await use.write()
    assert.equal(await lastUse(a), from + 60_000)
    // A replica whose clock is behind.
    deps.setNow(from + 1_000)
    const replica = new TokenUse(deps)
    replica.note(a, home)
    await replica.write()
    assert.equal(await lastUse(a), from + 60_000)
    deps.setNow(from)
  })

  test('the list shows the last five addresses that used a token, the newest first', async () => {
    const from = deps.now()
    const id = await make('many')
    const shown = async () =>
      (await listTokens(deps, { limit: 9 })).tokens
        .find((token) => token.id === id)
        ?.usedFrom.map(({ address, at }) => `${address} ${(Date.parse(at) - from) / 1000}`)
    const use = new TokenUse(deps)
    assert.deepEqual(await shown(), [])
    use.note(id, home)
    use.note(id, '2001:db8::1')
    await use.write()
    assert.deepEqual((await shown())?.toSorted(), ['10.0.0.7 0', '2001:db8::1 0'])
    for (let second = 1; second <= 5; second++) {
      deps.setNow(from + second * 1_000)
      use.note(id, `203.0.113.${second}`)
      await use.write()
    }
    assert.deepEqual(
      await shown(),
      [5, 4, 3, 2, 1].map((second) => `203.0.113.${second} ${second}`),
    )
    deps.setNow(from)
  })

  test('a failure to write it is no error, and the next use is noted again', async () => {
    const id = await make('c')
    const { sql, address } = deps.db
    const name = address.url.slice(address.url.lastIndexOf('/') + 1)
    await sql`alter database ${sql(name)} set default_transaction_read_only = on`
    const readOnly = openDatabase(address)
    const process = { db: readOnly, now: deps.now }
    const use = new TokenUse(process)
    use.note(id, home)
    await use.write()
    await readOnly.close()
    process.db = deps.db
    assert.equal(await lastUse(id), undefined, 'it was written')
    use.note(id, home)
    await use.write()
    assert.equal(await lastUse(id), deps.now())
  })
})
