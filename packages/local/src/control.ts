/** The control plane on loopback: API and ingest in one process, or in two. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { childEnvironment } from './environment.ts'
import { compileCache, type Ground } from './ground.ts'
import { LocalError, outputOf } from './local-error.ts'
import type { Nats } from './nats-server.ts'
import { node, repository } from './paths.ts'
import { freePort } from './ports.ts'
import type { Postgres } from './postgres.ts'
import { LocalProcess } from './process.ts'
import { programFiles, sources } from './program-files.ts'
import { writePrivate } from './secret-file.ts'

export interface ControlProcessOptions {
  ground: Ground
  nats: Nats
  postgres: Postgres
  preferredPort?: number | undefined
  /** Additional settings, which may depend on the address of control. */
  environment?: Record<string, string> | ((api: string) => Record<string, string>)
  /** `all` by default. */
  mode?: 'all' | 'api' | 'ingest'
  /** Another program than that of `programFiles`. */
  program?: string
}

export interface ControlProcess {
  /** Base URL of the API, without a slash at the end. */
  api: string
  process: LocalProcess
  /** Makes a token. The control plane shows it once. */
  createToken(name: string, role: 'admin' | 'operator' | 'viewer'): Promise<string>
}

const consoleBuild = `${repository}/apps/console/build.ts`

export async function controlPlane({
  ground,
  nats,
  postgres,
  preferredPort,
  environment = {},
  mode = 'all',
  program = programFiles.control,
}: ControlProcessOptions): Promise<ControlProcess> {
  if (program === sources.control) await buildConsole()
  const port = await freePort(preferredPort)
  const api = `http://127.0.0.1:${port}`
  const env = {
    DATABASE_URL: postgres.url,
    NATS_URL: nats.url,
    NATS_TOKEN_FILE: nats.tokenFile,
    NATS_CREDENTIALS_FILE: nats.keys?.credentialsFile,
    NATS_ISSUER_FILE: nats.keys?.issuerFile,
    ...compileCache(ground),
    ...(typeof environment === 'function' ? environment(api) : environment),
  }
  const child = new LocalProcess({
    name: mode === 'all' ? 'control' : `control-${mode}`,
    command: node,
    args: [program, mode, '--host', '127.0.0.1', '--port', String(port)],
    env,
    ground,
    // It has no state to save, and the parts that it would tell are being stopped too.
    deathSignal: 'SIGKILL',
    isReady: async () => (await fetch(`${api}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok,
  })
  const createToken = async (name: string, role: string): Promise<string> => {
    const args = [program, 'token', 'create', '--name', name, '--role', role]
    try {
      const { stdout } = await promisify(execFile)(node, args, { env: childEnvironment(env) })
      return stdout.trim()
    } catch (error) {
      throw new LocalError('part_failed', `cannot make a token: ${outputOf(error, 3)}`)
    }
  }
  return { api, process: child, createToken }
}

/** Builds the console that control serves, if its sources have changed. */
async function buildConsole(): Promise<void> {
  try {
    await promisify(execFile)(node, [consoleBuild], { env: childEnvironment({}) })
  } catch (error) {
    throw new LocalError('part_failed', `the web console could not be built: ${outputOf(error, 5)}`)
  }
}

/** The token in this file while the control plane accepts it; otherwise a new one, stored there. `name`: of a new one. */
export async function keepToken(control: ControlProcess, file: string, name = 'quickstart'): Promise<string> {
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  if (kept !== '') {
    const answer = await fetch(`${control.api}/v1/edges`, { headers: { authorization: `Bearer ${kept}` } })
    if (answer.ok) return kept
  }
  const token = await control.createToken(name, 'admin')
  writePrivate(file, `${token}\n`)
  return token
}
