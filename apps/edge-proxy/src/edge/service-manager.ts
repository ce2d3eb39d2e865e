/** Tells systemd which process of the service is the main one. Node has no datagram sockets of the family AF_UNIX. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const timeoutMs = 5_000

/** Undefined: systemd knows it, or does not run this process. Otherwise why systemd was not told. */
export async function tellMainProcess(
  pid: number,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const { NOTIFY_SOCKET: socket, SYSTEMD_EXEC_PID: mainProcess } = environment
  // systemd would end the whole service with this process.
  if (socket === undefined && mainProcess === String(process.pid))
    return 'systemd cannot be told: the unit needs NotifyAccess=all'
  if (socket === undefined) return undefined
  try {
    await promisify(execFile)('systemd-notify', [`MAINPID=${pid}`], { timeout: timeoutMs })
    return undefined
  } catch (error) {
    return `systemd could not be told (${(error as Error).message.trim().split('\n').at(-1)})`
  }
}
