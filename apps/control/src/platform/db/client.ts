/**
 * A Postgres client that survives the loss of a connection, in spite of three errors of postgres.js 3.4.9:
 *
 * - It writes `rollback` or `commit` to a closed connection, which ends the process (porsager/postgres#1208). Here nothing is
 *   written to a lost connection, and its transaction ends with an error.
 * - Each new connection first asks for the array types of the database, and a failure of that query ends the process
 *   (porsager/postgres#1192). Here it does not ask. The array types that control sends are set below.
 * - If Postgres ends a session during a statement, the driver rejects the first statement of the next session with the same
 *   error (porsager/postgres#1223). That statement was not sent. Here it is sent again.
 */
import postgres from 'postgres'

type Work<T> = (sql: postgres.TransactionSql) => Promise<T>

export function openClient(
  url: string,
  options: postgres.Options<Record<string, postgres.PostgresType>>,
): postgres.Sql {
  const client = postgres(url, { ...options, fetch_types: false, types: { ...options.types, array } })
  const begin = client.begin.bind(client)
  const beginSafely = async <T>(...args: [string, Work<T>] | [Work<T>]): Promise<unknown> => {
    const [first, second] = args
    const [mode, work] = typeof first === 'string' ? [first, second!] : ['', first]
    let isLost = false
    let isBegun = false
    const ended = begin(mode, async (sql) => {
      isBegun = true
      try {
        const result = await work(whileOpen(sql, () => isLost))
        return isLost ? await never() : result
      } catch (error) {
        if (isLost || isLoss(error)) return await never()
        throw error
      }
    })
    return await ended.catch(async (error: unknown) => {
      if (!isBegun && isOfLastSession(error)) return await beginSafely(...args)
      isLost = true
      throw error
    })
  }
  const unsafe: typeof client.unsafe = (...args) => sentAgain(client.unsafe(...args))
  const changed: Partial<typeof client> = { begin: beginSafely as typeof client.begin, unsafe }
  return new Proxy(client, {
    apply: (target, self, args) => sentAgain(Reflect.apply(target, self, args)),
    get: (target, key) => Reflect.get(Object.hasOwn(changed, key) ? changed : target, key) as unknown,
  })
}

/** What the driver does with a statement. Not part of its types. */
interface Sending {
  reject: (error: unknown) => void
  /** The session that it was sent on. Null until then. */
  readonly state: object | null
  /** Sends the statement on any connection. */
  readonly handler: (statement: Sending) => void
}

/** Sends the statement again if it is rejected, before it was sent, with the error that has ended another session. */
function sentAgain<T>(made: T): T {
  // Names and lists that become part of a statement are no promises.
  if (!(made instanceof Promise)) return made
  const statement = made as unknown as Sending
  const { reject } = statement
  statement.reject = (error) => {
    if (statement.state === null && isOfLastSession(error)) queueMicrotask(() => statement.handler(statement))
    else reject(error)
  }
  return made
}

/**
 * Whether Postgres has ended another session with this error. A statement that was sent is rejected with the loss of its
 * connection, and a new session that Postgres refuses ends with another code.
 */
const isOfLastSession = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && /^57P0[12]$/.test(error.code) && error.severity === 'FATAL'

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
