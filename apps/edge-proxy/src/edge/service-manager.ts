/** Tells systemd the main process of the service. Uses systemd-notify, because Node has no AF_UNIX datagram sockets. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const timeoutMs = 5_000

/** Undefined: systemd was told, or does not run this process. Otherwise the reason why systemd could not be told. */
export async function tellMainProcess(
  pid: number,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const { NOTIFY_SOCKET: socket, SYSTEMD_EXEC_PID: mainProcess } = environment
  // Without a notification, systemd would stop the service when this process ends.
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
