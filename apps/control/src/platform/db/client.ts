/**
 * A Postgres client that survives the loss of a connection, in spite of these errors of postgres.js 3.4.9:
 *
 * - It writes to a closed connection at the end of a transaction, or for a later statement of it, which ends the process
 *   (porsager/postgres#1208). Here nothing is written to a lost connection, and its transaction ends with an error.
 * - Each new connection first asks for the array types of the database, and a failure of that query ends the process
 *   (porsager/postgres#1192). Here it does not ask. The array types that control sends are set below.
 * - If Postgres ends a session during a statement, the driver rejects the first statement of the next session with the same
 *   error (porsager/postgres#1223). That statement was not sent. Here it is sent again.
 * - If the rows of a statement were not complete, the rows of the next session begin behind as many empty items.
 * - A statement that is made while closed connections are being reported can stay unsent on one of them, and the next session of that
 *   connection does not begin. Here it begins (open-socket.ts), and statements are told of a loss when all losses are known.
 * - A statement that is made between the reset and the end of a connection gets the empty result of the next session's start. Here the
 *   driver does not see the reset.
 * - A connection that is closed before Postgres has answered is opened again immediately, without limit. Here it is a failure.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { loss, opening } from './open-socket.ts'

type Work<T> = (sql: postgres.TransactionSql) => Promise<T>
type DriverOptions = postgres.Options<Record<string, postgres.PostgresType>>

export function openClient(url: string, options: DriverOptions): postgres.Sql {
  const ending = new AbortController()
  const client = postgres(url, {
    ...options,
    fetch_types: false,
    types: { ...options.types, array },
    ...opening(options, ending.signal),
  })
  const begin = client.begin.bind(client)
  const beginSafely = async <T>(...[first, second]: [string, Work<T>] | [Work<T>]): Promise<unknown> =>
    typeof first === 'string' ? await beginOnce(first, second!) : await beginOnce('', first)
  const beginOnce = async <T>(mode: string, work: Work<T>, again = againMax): Promise<unknown> => {
    const connection: Connection = { isLost: false }
    let isBegun = false
    const ended = begin(mode, async (sql) => {
      isBegun = true
      try {
        const result = await work(whileOpen(sql, connection))
        return connection.isLost ? await never() : result
      } catch (error) {
        if (connection.isLost) return await never()
        throw error
      }
    })
    return await ended.catch(async (error: unknown) => {
      if (!isBegun && again > 0 && isOfLastSession(error)) return await beginOnce(mode, work, again - 1)
      connection.isLost = true
      if (isLoss(error)) await sleep(0)
      throw error
    })
  }
  const unsafe: typeof client.unsafe = (...args) => surviving(client.unsafe(...args))
  const end: typeof client.end = async (...args) => {
    ending.abort(loss('the client was closed'))
    await client.end(...args)
  }
  const changed: Partial<typeof client> = { begin: beginSafely as typeof client.begin, unsafe, end }
  return new Proxy(client, {
    apply: (target, self, args) => surviving(Reflect.apply(target, self, args)),
    get: (target, key) => Reflect.get(Object.hasOwn(changed, key) ? changed : target, key) as unknown,
  })
}

/** How often a statement is sent again. A proxy may refuse each new session with an error that looks like one of a statement. */
const againMax = 3

/** What the driver does with a statement. Not part of its types. */
interface Sending {
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
  /** The session that it was sent on. Null until then. */
  readonly state: object | null
  /** Sends the statement. */
  handler: (statement: Sending) => void
}

// Names and lists that become part of a statement are no promises.
const isStatement = (made: unknown): made is Sending => made instanceof Promise

/**
 * Sends the statement again if it is rejected, before it was sent, with the error of another session. Its loss is reported when all
 * lost connections are known to the driver.
 */
function surviving<T>(made: T): T {
  if (!isStatement(made)) return made
  const { resolve, reject } = made
  made.resolve = (result) => resolve(withoutHoles(result))
  let again = againMax
  made.reject = (error) => {
    if (made.state === null && again-- > 0 && isOfLastSession(error)) queueMicrotask(() => made.handler(made))
    else if (isLoss(error)) setTimeout(reject, 0, error)
    else reject(error)
  }
  return made
}

/** Rows begin at 0. */
function withoutHoles(result: unknown): unknown {
  if (Array.isArray(result) && result.length > 0 && !(0 in result))
    result.splice(0, Number(Object.keys(result)[0]))
  return result
}

/**
 * Whether Postgres has ended another session with this error, or has answered another statement. A statement that was sent is
 * rejected with the loss of its connection, and a new session that Postgres refuses ends with another FATAL error.
 */
const isOfLastSession = (error: unknown): boolean =>
  error instanceof postgres.PostgresError &&
  (error.severity === 'ERROR' || (error.severity === 'FATAL' && /^(57P0[12]|25P04)$/.test(error.code)))

/** Arrays as parameters, by the numbers that Postgres gives their types. No query of control returns an array. */
const array: postgres.PostgresType = {
  to: 1009,
  // int4[], text[], int8[], float8[], uuid[]
  from: [1007, 1009, 1016, 1022, 2951],
  serialize: (items: readonly ArrayItem[]) => `{${items.map(arrayItem).join(',')}}`,
  parse: (text: string) => text,
}

type ArrayItem = string | number | null

const arrayItem = (item: ArrayItem): string =>
  item === null ? 'null' : `"${String(item).replace(/[\\"]/g, '\\$&')}"`

/** Never settles: the loss of the connection ends the transaction. */
const never = async (): Promise<never> => await new Promise<never>(() => {})

/** The connection of a transaction. */
interface Connection {
  isLost: boolean
}

/** Rejects statements of work that has not noticed the loss. */
function whileOpen(sql: postgres.TransactionSql, connection: Connection): postgres.TransactionSql {
  const check = () => {
    if (connection.isLost) throw loss('the connection was lost')
  }
  const watched = <T>(made: T): T => {
    if (!isStatement(made)) return made
    const { reject, handler } = surviving(made)
    made.reject = (error) => {
      connection.isLost ||= isLoss(error)
      reject(error)
    }
    made.handler = (statement) => {
      if (connection.isLost) reject(loss('the connection was lost'))
      else handler(statement)
    }
    return made
  }
  const unsafe: typeof sql.unsafe = (...args) => watched(sql.unsafe(...args))
  return new Proxy(sql, {
    apply(target, self, args) {
      check()
      return watched(Reflect.apply(target, self, args))
    },
    get(target, key) {
      check()
      return key === 'unsafe' ? unsafe : (Reflect.get(target, key) as unknown)
    },
  })
}

const lossCodes = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED', 'CONNECTION_ENDED'])

/** Errors of sockets name a system call. */
const isLoss = (error: unknown): boolean =>
  error instanceof Error &&
  ('syscall' in error ||
    ('code' in error &&
      (lossCodes.has(String(error.code)) || /^ERR_(SSL|TLS|STREAM)_/.test(String(error.code)))))
