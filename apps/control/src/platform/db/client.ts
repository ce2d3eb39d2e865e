/**
 * A Postgres client that survives the loss of a connection. Two errors of postgres.js 3.4.9 would end the process:
 *
 * - It writes `rollback` or `commit` to a closed connection (porsager/postgres#1208). Here nothing is written to a lost
 *   connection, and its transaction ends with an error.
 * - Each new connection first asks for the array types of the database, and no code handles a failure of that query
 *   (porsager/postgres#1192). Here it does not ask. The array types that control sends are set below.
 */
import postgres from 'postgres'

type Work<T> = (sql: postgres.TransactionSql) => Promise<T>

export function openClient(
  url: string,
  options: postgres.Options<Record<string, postgres.PostgresType>>,
): postgres.Sql {
  const client = postgres(url, { ...options, fetch_types: false, types: { ...options.types, array } })
  const begin = client.begin.bind(client)
  const beginSafely = async <T>(...[first, second]: [string, Work<T>] | [Work<T>]): Promise<unknown> => {
    const [mode, work] = typeof first === 'string' ? [first, second!] : ['', first]
    let isLost = false
    const ended = begin(mode, async (sql) => {
      try {
        const result = await work(whileOpen(sql, () => isLost))
        return isLost ? await never() : result
      } catch (error) {
        if (isLost || isLoss(error)) return await never()
        throw error
      }
    })
    return await ended.catch((error: unknown) => {
      isLost = true
      throw error
    })
  }
  return Object.assign(client, { begin: beginSafely as typeof client.begin })
}

/** Arrays as parameters, by the oids of `pg_type`. No query of control returns an array. */
const array: postgres.PostgresType = {
  to: 1009,
  // int4[], text[], int8[], float8[], uuid[]
  from: [1007, 1009, 1016, 1022, 2951],
  serialize: (items: readonly unknown[]) => `{${items.map(arrayItem).join(',')}}`,
  parse: (text: string) => text,
}

const arrayItem = (item: unknown): string =>
  item === null ? 'null' : `"${String(item).replace(/[\\"]/g, '\\$&')}"`

/** Never settles: the loss of the connection ends the transaction. */
const never = async (): Promise<never> => await new Promise<never>(() => {})

/** Rejects statements of work that has not noticed the loss. */
function whileOpen(sql: postgres.TransactionSql, isLost: () => boolean): postgres.TransactionSql {
  const check = () => {
    if (isLost()) throw Object.assign(new Error('the connection was lost'), { code: 'CONNECTION_CLOSED' })
  }
  return new Proxy(sql, {
    apply(target, self, args) {
      check()
      return Reflect.apply(target, self, args)
    },
    get(target, key) {
      check()
      return Reflect.get(target, key) as unknown
    },
  })
}

const lossCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
])

function isLoss(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && lossCodes.has(String(cause.code))) return true
  return false
}
