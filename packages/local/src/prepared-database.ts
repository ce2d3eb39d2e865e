/**
 * The database of a new fleet, made once for many tests: initialised, migrated, with the token of an admin. `npm run tests -- --prepare`
 * makes it. It is as new as the run, so nothing in it can be out of date.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { controlPlane, keepToken } from './control.ts'
import { environment } from './environment.ts'
import { layGround, type Ground } from './ground.ts'
import { natsServer } from './nats-server.ts'
import { postgresServer } from './postgres.ts'

/** The name of the admin's token. */
export const preparedTokenName = 'tests'

const directoryIn = (prepared: string) => `${prepared}/database`

/** `program`: control, which migrates the database. It is not started, so no replica has been there. */
export async function prepareDatabase(prepared: string, program: string): Promise<void> {
  const ground = layGround(directoryIn(prepared))
  const postgres = await postgresServer({ ground, durable: false })
  const control = await controlPlane({ ground, nats: await natsServer({ ground }), postgres, program })
  await postgres.process?.start()
  try {
    await keepToken(control, `${ground.directory}/token`, preparedTokenName)
  } finally {
    await postgres.process?.stop()
  }
}

/** Before Postgres is started on this ground. Nothing if none was prepared: it then gets an empty database. */
export async function copyPreparedDatabase({ directory }: Ground): Promise<void> {
  const { prepared } = environment
  if (prepared === undefined) return
  const from = directoryIn(prepared)
  // With its owner, and what only that one may read.
  await promisify(execFile)('cp', ['-a', `${from}/postgres`, `${from}/token`, directory])
}
