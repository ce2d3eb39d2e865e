/** SquirrelMail's imapproxy. Its syslog mask is raised, so that it writes no log lines, as the others. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@imapfleet/local'
import { openFilesMax } from '../../accounting.ts'
import { startServer } from '../child.ts'
import { idleWanted, spare, unprivileged, type Contestant } from './contestant.ts'

export function imapproxy(program: string, version: string): Contestant {
  // It requires two open files per cached connection at the start.
  const cacheSize = Math.min(idleWanted + spare, Math.floor((openFilesMax() - 10) / 2))
  return {
    name: 'imapproxy',
    version,
    idleMax: cacheSize - spare,
    async start(onwardPort, directory) {
      const port = await freePort()
      const { user, group } = unprivileged()
      const keywords = {
        server_hostname: '127.0.0.1',
        server_port: onwardPort,
        listen_address: '127.0.0.1',
        listen_port: port,
        cache_size: cacheSize,
        cache_expiration_time: 3600,
        connect_retries: 3,
        connect_delay: 1,
        proc_username: user,
        proc_groupname: group,
        stat_filename: join(directory, 'pimpstats'),
        protocol_log_filename: join(directory, 'protocol.log'),
        syslog_facility: 'LOG_MAIL',
        syslog_prioritymask: 'LOG_ERR',
        send_tcp_keepalives: 'no',
        enable_select_cache: 'no',
        foreground_mode: 'yes',
        force_tls: 'no',
        enable_admin_commands: 'no',
      }
      const file = join(directory, 'imapproxy.conf')
      const lines = Object.entries(keywords).map(([keyword, value]) => `${keyword} ${value}\n`)
      writeFileSync(file, lines.join(''))
      return { port, process: await startServer(program, ['-f', file], port) }
    },
  }
}
