/** Puts another configuration in force on a running edge: all of it or, if it has a mistake, nothing. */
import { awaitingRestart, type EdgeConfig } from '@imapfleet/config'
import { readCertificates } from './certificates.ts'
import type { EdgeContext } from './context.ts'

/**
 * Sessions continue. Idle connections to a server whose settings have changed are closed. Throws `tls_unreadable`, and
 * then the configuration in force stays.
 */
export function reload(context: EdgeContext, config: EdgeConfig): void {
  const { settings, servers, pool, log } = context
  const certificates = readCertificates(config)
  settings.current = config
  settings.listenerTls = certificates.listeners
  servers.configure(config, certificates.upstreams)
  log.level = config.log.level
  const keys = keysAwaitingRestart(context)
  if (keys.length > 0) log.warn('restart_needed', { keys: keys.join(' ') })
  for (const connection of pool.connections.idle())
    if (servers.get(connection.serverName)?.generation !== connection.generation)
      pool.drop(connection, 'config-changed')
}

/** Keys of the configuration in force that take effect only at a start. */
export function keysAwaitingRestart({ settings }: EdgeContext): string[] {
  return awaitingRestart(settings.atStart, settings.current)
}
